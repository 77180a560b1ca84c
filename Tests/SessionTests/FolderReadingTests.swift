import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The conversation that reads an account's folders without a session.
@Suite struct FolderReadingTests {
    /// The paths that users other than the owner may be shown.
    private static func folders(_ lines: [String]) -> [String]? {
        var reading = FolderReading()
        let profile = UpstreamProfile(capabilities: [], delimiter: UInt8(ascii: "."))
        guard case .send(let segments) = reading.begin(profile, tags: UpstreamTags(random: 7))
        else {
            return nil
        }
        let tag = segments.map { String(buffer: $0) }.joined().prefix { $0 != " " }
        for line in lines {
            _ = reading.responseReceived(ByteBuffer(string: line + "\r\n"))
        }
        let end = reading.responseReceived(ByteBuffer(string: "\(tag) OK x\r\n"))
        guard case .done(.listed(let known, _)) = end else { return nil }
        return (0..<known.folders.count).compactMap { known.folders.path(at: $0) }
            .map { "\($0)" }
    }

    /// The reason is the same as in a session: it is unclear which folder the scope of a grant
    /// covers.
    @Test func `a folder with another delimiter than the server's is omitted`() {
        let lines = [
            #"* LIST () "." INBOX"#, #"* LIST () "." Akten.2026"#, #"* LIST () "/" Akten.Geheim"#,
            #"* LIST () NIL Neu"#,
        ]
        #expect(Self.folders(lines) == ["INBOX", "Akten/2026", "Neu"])
    }
}
