package import Access
import IMAP
import NIOCore
import Session

/// What a server showed to a login.
package struct ProbeReport: Sendable {
    package var greeting: String
    /// Nil without TLS.
    package var tls: String?
    package var capabilities: [String]
    package var delimiter: String?
    package var folders: [FolderPath]
    /// Folders that show messages of other folders, by the attribute that says so.
    package var collections: [FolderPath: String] = [:]
    /// Lines of the list, in escaped form, as many as are shown, whose folders nobody sees: they cannot be read, or their
    /// names cannot be given to a client.
    package private(set) var omittedLines: [String] = []
    /// How many there are.
    package private(set) var omitted = 0

    private static let maximumOmittedLines = 20

    /// A folder with one of them has messages of all others in it (RFC 6154 §2, RFC 8457 §2).
    private static let attributes = ["\\All", "\\Flagged", "\\Important"]

    mutating func omit(_ line: ByteBuffer) {
        self.omitted += 1
        guard self.omittedLines.count < Self.maximumOmittedLines else { return }
        self.omittedLines.append(UnreadableLine(line).description)
    }

    /// Keeps what a server listed.
    mutating func add(_ folder: FolderPath, list: ListResponse) {
        self.folders.append(folder)
        let names = list.attributes.map { String(buffer: $0).lowercased() }
        if let attribute = Self.attributes.first(where: { names.contains($0.lowercased()) }) {
            self.collections[folder] = attribute
        }
    }
}
