package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Folders in the order in which a server listed them, in a few blocks of memory: 60,000 folders
/// take 4 MiB, are copied without cost, and are freed at once.
package struct ListedFolders: Sendable {
    /// The octets of all paths.
    private var octets: [UInt8] = []
    /// The end of each path in `octets`.
    private var ends: [UInt32] = []
    /// The LIST attributes of folders, separated by spaces. Most folders have the same ones.
    private var attributes = OctetStringSet()
    /// For each folder, the number of its attributes in `attributes`.
    private var attributeNumbers: [UInt32] = []

    /// No folders.
    package init() {}

    /// The number of folders.
    package var count: Int { self.ends.count }

    /// Approximate memory in octets.
    package var size: Int {
        self.octets.count + self.attributes.octetCount + self.count * 2 * MemoryLayout<UInt32>.size
    }

    /// Adds a folder behind the others.
    /// - Parameter attributes: the server's LIST attributes, in wire octets.
    package mutating func append(_ path: FolderPath, attributes: [ByteBuffer] = []) {
        var joined: [UInt8] = []
        for attribute in attributes {
            if !joined.isEmpty { joined.append(UInt8(ascii: " ")) }
            joined.append(contentsOf: attribute.readableBytesView)
        }
        self.octets.append(contentsOf: path.octets)
        self.ends.append(UInt32(self.octets.count))
        self.attributeNumbers.append(UInt32(self.attributes.insert(joined).index))
    }

    /// The path of a folder.
    /// - Parameter index: less than `count`.
    package func path(at index: Int) -> FolderPath? {
        let start = index == 0 ? 0 : Int(self.ends[index - 1])
        return FolderPath(octets: Array(self.octets[start..<Int(self.ends[index])]))
    }

    /// The LIST attributes of a folder, in wire octets.
    /// - Parameter index: less than `count`.
    package func attributes(at index: Int) -> [ByteBuffer] {
        self.attributes.string(at: Int(self.attributeNumbers[index]))
            .split(separator: UInt8(ascii: " ")).map { ByteBuffer(bytes: $0) }
    }
}
