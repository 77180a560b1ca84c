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
        "", ".", "a..b", ".a", "a.", "Public.x", "Public", "user.dave", "..",
        // To a server that reads any spelling they lead elsewhere.
        "&AC8-", "&AC4-.x", "a&AC4-b", "&AEk-NBOX", "&AEk-NBOX.M\u{FC}", "&AFA-ublic.x",
        "inbox.M\u{FC}",
        "M\u{FC}&AC8-x", "a&!-&AC8-x",
        // They end a line or a string.
        "&AAA-", "&AA0ACg-", "a\u{0}b", "a\r\nb",
    ])
    func `a name that no folder of the account has is hidden`(name: String) {
        #expect(Self.dotted.folder(named: ByteBuffer(string: name)) == nil)
    }

    /// The name on a server with delimiter `.`, in Latin-1, and its path.
    static let escaped: [(String, String)] = [
        ("M\u{FC}ller", "=_M=FCller"),
        ("M\u{C3}\u{BC}ller", "=_M\u{FC}ller"),
        ("Akten.M\u{FC}ller.2026", "Akten/=_M=FCller/2026"),
        ("Akten.&ANw-bersicht.\u{FC}", "Akten/\u{DC}bersicht/=_=FC"),
        ("INBOX.\u{FC}", "INBOX/=_=FC"),
        ("a&b", "=_a&b"),
        ("&", "=_&"),
        ("&Jjo", "=_&Jjo"),
        ("&ANw-&ANw-", "=_&ANw-&ANw-"),
        ("&ZeV-", "=_&ZeV-"),
        ("a\tb", "=_a=09b"),
        ("&AAk-", "=_&AAk-"),
        ("a\u{1}b", "=_a=01b"),
        ("&AIU-", "=_&AIU-"),
        ("&ICg-", "=_&ICg-"),
        ("\u{C2}\u{85}", "=_=C2=85"),
        ("a=/\u{FC}", "=_a=3D=2F=FC"),
        ("=_x", "=3D_x"),
        ("=3D_x", "=3D3D_x"),
        ("=_M=FCller", "=3D_M=FCller"),
        ("x=_", "x=_"),
    ]

    @Test(arguments: escaped)
    func `a name that is no modified UTF-7 has one path, and comes back from it`(
        name: String,
        path: String
    ) throws {
        let octets = ByteBuffer(bytes: name.unicodeScalars.map { UInt8($0.value) })
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        #expect(Self.dotted.folder(named: octets) == folder)
        #expect(Self.dotted.folder(listedAs: octets) == folder)
        #expect(Self.dotted.name(of: folder) == octets)
    }

    @Test(arguments: [
        "=_", "=_x", "=_M\u{DC}=FCller=4", "=_M=fcller", "=_M=C3=BCller", "=_=41\u{FC}", "=_a=26b",
        "=_M=FCller/..", "=_a.b=FC", "=_Public/=_=FC", "a/=_=2F=FC&AC8-", "=_=00\u{FC}", "=_&ANw-",
        "=_&AEk-NBOX", "Public/=_=FC", "=3D=FC", "=_a=0Ab",
    ])
    func `a path that is written otherwise names no folder`(path: String) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        #expect(Self.dotted.name(of: folder) == nil)
    }

    @Test func `no two names have one path, and no two paths one name`() throws {
        var generator = Seeded(state: 5)
        let pieces: [[UInt8]] =
            [
                "a", "=_", "=3D", "=", "FC", "&", "-", "ANw", "&ANw-", ".", "/", "INBOX", "\t", "_",
                "ü",
            ]
            .map { Array($0.utf8) } + [[0xFC], [0xC3], [0xBC], [0x85], [0x7F]]
        for names in [Self.dotted, Self.slashed, Self.flat, Self.prefixed] {
            var paths: [FolderPath: [UInt8]] = [:]
            for _ in 0..<20_000 {
                var wire: [UInt8] = []
                for _ in 0..<Int.random(in: 1...6, using: &generator) {
                    wire += pieces.randomElement(using: &generator) ?? []
                }
                // As a server's name, and as a path.
                if let folder = names.folder(listedAs: ByteBuffer(bytes: wire)), !folder.isInbox {
                    #expect(names.name(of: folder) == ByteBuffer(bytes: wire))
                    let other = paths.updateValue(wire, forKey: folder)
                    #expect(other == nil || other == wire)
                }
                guard let folder = FolderPath(octets: wire), let name = names.name(of: folder)
                else {
                    continue
                }
                #expect(names.folder(named: name) == folder)
            }
            #expect(paths.count > 20)
        }
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
