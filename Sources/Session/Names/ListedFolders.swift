package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Folders as a server listed them, in its order, in a few blocks of memory: 60,000 folders take 4 MiB, are copied
/// without cost, and are freed at once.
package struct ListedFolders: Sendable {
    /// The paths, one behind another.
    private var octets: [UInt8] = []
    /// Where each path ends in `octets`.
    private var ends: [UInt32] = []
    /// The attributes of folders, separated by spaces: most folders have the same.
    private var attributes = OctetStringSet()
    /// The number in `attributes` of each folder's.
    private var attributeNumbers: [UInt32] = []

    package init() {}

    package var count: Int { self.ends.count }

    /// Octets of memory, about.
    package var size: Int {
        self.octets.count + self.attributes.octetCount + self.count * 2 * MemoryLayout<UInt32>.size
    }

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

    /// - Parameter index: less than `count`.
    package func path(at index: Int) -> FolderPath? {
        let start = index == 0 ? 0 : Int(self.ends[index - 1])
        return FolderPath(octets: Array(self.octets[start..<Int(self.ends[index])]))
    }

    /// - Parameter index: less than `count`.
    package func attributes(at index: Int) -> [ByteBuffer] {
        self.attributes.string(at: Int(self.attributeNumbers[index]))
            .split(separator: UInt8(ascii: " ")).map { ByteBuffer(bytes: $0) }
    }
}
