import Access
import IMAP
import NIOCore
import Session
import Support
import Testing

@Suite struct UpstreamNamesTests {
    static let dotted = UpstreamNames(
        UpstreamProfile(
            capabilities: [],
            delimiter: UInt8(ascii: "."),
            personalPrefixes: [[]],
            foreignPrefixes: [Array("Public.".utf8), Array("user.".utf8)]
        )
    )
    static let slashed = UpstreamNames(
        UpstreamProfile(capabilities: [], delimiter: UInt8(ascii: "/"))
    )
    static let flat = UpstreamNames(UpstreamProfile(capabilities: [], delimiter: nil))
    static let prefixed = UpstreamNames(
        UpstreamProfile(
            capabilities: [],
            delimiter: UInt8(ascii: "."),
            personalPrefixes: [Array("INBOX.".utf8)]
        )
    )

    /// The path, and the name on a server with delimiter `.`; nil where there is none.
    static let rows: [(String, String?)] = [
        ("INBOX", "INBOX"),
        ("INBOX/Alt", "INBOX.Alt"),
        ("Akten/2026/Neu", "Akten.2026.Neu"),
        ("Akten & Gerichte", "Akten &- Gerichte"),
        ("Übersicht", "&ANw-bersicht"),
        ("a=2Fb", "a/b"),
        ("a=3D2Fb", "a=2Fb"),
        ("a=3D3Db", "a=3Db"),
        ("a=b", "a=b"),
        ("a=3Db", nil),
        ("a.b", nil),
        ("Public/x", nil),
        ("user/dave", nil),
        (".", nil),
        ("a/..", nil),
        ("a/../b", nil),
    ]

    @Test(arguments: rows)
    func `a path has one name or none`(path: String, name: String?) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        let found = Self.dotted.name(of: folder)
        #expect(found.map { String(buffer: $0) } == name)
        guard let found else { return }
        #expect(Self.dotted.folder(named: found) == folder)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a.", "Public.x", "Public", "user.dave", "&AC8-", "&", "&Jjo",
        "..", "a\u{1}b",
    ])
    func `a name that no folder of the account has is hidden`(name: String) {
        #expect(Self.dotted.folder(named: ByteBuffer(string: name)) == nil)
    }

    @Test func `every name that translates comes back as it was`() throws {
        var generator = Seeded(state: 7)
        let alphabet = Array("aB=23FDE./&- ü\"\\%*".unicodeScalars)
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...9, using: &generator)
            var text = String.UnicodeScalarView()
            for _ in 0..<count { text.append(alphabet.randomElement(using: &generator) ?? "a") }
            let encoded = ModifiedUTF7.encode(Array(String(text).utf8))
            for names in [Self.dotted, Self.slashed, Self.flat] {
                let wire = ByteBuffer(bytes: encoded)
                guard let folder = names.folder(named: wire) else { continue }
                #expect(names.name(of: folder) == wire)
            }
        }
    }

    @Test func `a server without a delimiter has no folder below another`() throws {
        let folder = try #require(FolderPath(octets: Array("a/b".utf8)))
        #expect(Self.flat.name(of: folder) == nil)
        #expect(Self.flat.folder(named: ByteBuffer(string: "a/b"))?.octets == Array("a=2Fb".utf8))
    }

    @Test func `only what lies in the personal namespace is the account's`() throws {
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "INBOX")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "inbox")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "INBOX.Sent")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "shared.x")) == nil)
        let outside = try #require(FolderPath(octets: Array("shared/x".utf8)))
        #expect(Self.prefixed.name(of: outside) == nil)
    }
}
