package import Access
import IMAP
import NIOCore
import Session

/// What a mail server showed to the login of a probe.
package struct ProbeReport: Sendable {
    /// The text of the greeting, printable and shortened.
    package var greeting: String
    /// The TLS version and cipher suite; nil without TLS.
    package var tls: String?
    /// The capabilities after the login, sorted (RFC 9051 §7.2.2).
    package var capabilities: [String]
    /// The hierarchy delimiter; nil for a server without hierarchy.
    package var delimiter: String?
    /// The listed folders that the gateway can offer.
    package var folders: [FolderPath]
    /// Folders that show messages of other folders, with the attribute that says so.
    package var collections: [FolderPath: String] = [:]
    /// LIST responses, escaped, whose folders the gateway offers to nobody: the response cannot be
    /// parsed, or the name cannot be given to a client. At most ``maximumOmittedLines``.
    package private(set) var omittedLines: [String] = []
    /// The number of such responses.
    package private(set) var omitted = 0

    /// Lines that are shown; the rest is counted. A server with many such folders must not flood
    /// the terminal.
    private static let maximumOmittedLines = 20

    /// A folder with one of these attributes contains messages of all other folders (RFC 6154 §2,
    /// RFC 8457 §2).
    private static let attributes = ["\\All", "\\Flagged", "\\Important"]

    /// Counts a LIST response that cannot be offered.
    mutating func omit(_ line: ByteBuffer) {
        self.omitted += 1
        guard self.omittedLines.count < Self.maximumOmittedLines else { return }
        self.omittedLines.append(UnreadableLine(line).description)
    }

    /// Adds a listed folder.
    mutating func add(_ folder: FolderPath, list: ListResponse) {
        self.folders.append(folder)
        let names = list.attributes.map { String(buffer: $0).lowercased() }
        if let attribute = Self.attributes.first(where: { names.contains($0.lowercased()) }) {
            self.collections[folder] = attribute
        }
    }
}
