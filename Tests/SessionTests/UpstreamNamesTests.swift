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

    /// A path and its name on a server with delimiter `.`; nil if the path has no name.
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
    func `a path has at most one name`(path: String, name: String?) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        let found = Self.dotted.name(of: folder)
        #expect(found.map { String(buffer: $0) } == name)
        guard let found else { return }
        #expect(Self.dotted.folder(named: found) == folder)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a.", "Public.x", "Public", "user.dave", "..",
        // A server that accepts any spelling would open another mailbox.
        "&AC8-", "&AC4-.x", "a&AC4-b", "&AEk-NBOX", "&AEk-NBOX.M\u{FC}", "&AFA-ublic.x",
        "inbox.M\u{FC}",
        "M\u{FC}&AC8-x", "a&!-&AC8-x",
        // These octets end a line or a string.
        "&AAA-", "&AA0ACg-", "a\u{0}b", "a\r\nb",
    ])
    func `a name that cannot be a folder of the account has no path`(name: String) {
        #expect(Self.dotted.folder(named: ByteBuffer(string: name)) == nil)
    }

    /// A name on a server with delimiter `.`, in Latin-1, and its path.
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
    func `a name that is not modified UTF-7 has one path, which maps back to it`(
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
    func `a path with another escape spelling has no name`(path: String) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        #expect(Self.dotted.name(of: folder) == nil)
    }

    @Test func `names and paths map one to one`() throws {
        var generator = Seeded(state: 5)
        let pieces: [[UInt8]] =
            [
                "a", "=_", "=3D", "=", "FC", "&", "-", "ANw", "&ANw-", ".", "/", "INBOX", "\t", "_",
                "ü",
            ]
            .map { Array($0.utf8) } + [[0xFC], [0xC3], [0xBC], [0x85], [0x7F]]
        for names in [Self.dotted, Self.slashed, Self.flat, Self.prefixed] {
            var paths: [FolderPath: [UInt8]] = [:]
            for number in 0..<20_000 {
                var wire = names == Self.prefixed && number % 4 > 0 ? Array("INBOX.".utf8) : []
                for _ in 0..<Int.random(in: 1...6, using: &generator) {
                    wire += pieces.randomElement(using: &generator) ?? []
                }
                // Used as a server's name and as a path.
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

    @Test func `every name with a path maps back to the same name`() throws {
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

    @Test func `a server without a delimiter has no subfolders`() throws {
        let folder = try #require(FolderPath(octets: Array("a/b".utf8)))
        #expect(Self.flat.name(of: folder) == nil)
        #expect(Self.flat.folder(named: ByteBuffer(string: "a/b"))?.octets == Array("a=2Fb".utf8))
    }

    /// The path, and the name on a server whose personal namespace has the prefix `INBOX.`.
    static let prefixedRows: [(String, String?)] = [
        ("INBOX", "INBOX"),
        ("inbox", "INBOX"),
        ("Trash", "INBOX.Trash"),
        ("Akten/2026", "INBOX.Akten.2026"),
        ("Übersicht", "INBOX.&ANw-bersicht"),
        ("a=2Fb", "INBOX.a/b"),
        ("=49NBOX", "INBOX.INBOX"),
        ("=49NBOX/a", "INBOX.INBOX.a"),
        ("=69nbox", "INBOX.inbox"),
        ("=49nbox/a", "INBOX.Inbox.a"),
        ("=3D3D49NBOX", "INBOX.=49NBOX"),
        ("=53hared/a", "INBOX.Shared.a"),
        ("=4Fther Users", "INBOX.Other Users"),
        ("Other Users 2", "INBOX.Other Users 2"),
        ("shared", "INBOX.shared"),
        ("INBOXES", "INBOX.INBOXES"),
        ("a/INBOX", "INBOX.a.INBOX"),
        ("=41", "INBOX.=41"),
        ("INBOX/Trash", nil),
        ("INBOX/INBOX", nil),
        ("Shared", nil),
        ("Other Users/a", nil),
        ("=3D49NBOX", nil),
        ("=54rash", "INBOX.=54rash"),
    ]

    @Test(arguments: prefixedRows)
    func `a path omits the prefix of the personal namespace`(path: String, name: String?) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        let found = Self.prefixed.name(of: folder)
        #expect(found.map { String(buffer: $0) } == name)
        guard let found else { return }
        #expect(Self.prefixed.folder(named: found) == folder)
        #expect(Self.prefixed.folder(listedAs: found) == folder)
    }

    /// A name after the prefix, in Latin-1, and its path.
    static let prefixedEscaped: [(String, String)] = [
        ("M\u{FC}ller", "=_M=FCller"),
        ("Akten.M\u{FC}ller.2026", "Akten/=_M=FCller/2026"),
        ("INBOX.\u{FC}", "=49NBOX/=_=FC"),
        ("inbox.\u{FC}", "=69nbox/=_=FC"),
        ("Shared.\u{FC}", "=53hared/=_=FC"),
        ("=49NBOX.\u{FC}", "=3D3D49NBOX/=_=FC"),
        ("INBOX\u{FC}", "=_INBOX=FC"),
        ("=_x", "=3D_x"),
        ("a&b", "=_a&b"),
    ]

    @Test(arguments: prefixedEscaped)
    func `a name after a prefix that is not modified UTF-7 has one path`(
        name: String,
        path: String
    ) throws {
        let wire = "INBOX." + name
        let octets = ByteBuffer(bytes: wire.unicodeScalars.map { UInt8($0.value) })
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        #expect(Self.prefixed.folder(listedAs: octets) == folder)
        #expect(Self.prefixed.name(of: folder) == octets)
        #expect(!Self.prefixed.isOmitted(octets))
    }

    @Test(arguments: [
        "INBOX.&AEk-NBOX", "INBOX.&AEk-NBOX.M\u{FC}", "INBOX.M\u{FC}&AC4-x", "INBOX.M\u{FC}&AC8-x",
        "M\u{FC}", "inbox.M\u{FC}", "INBOX.M\u{FC}..x", "INBOX.",
    ])
    func `an ambiguous name after a prefix has no path`(name: String) {
        let octets = ByteBuffer(bytes: name.unicodeScalars.map { UInt8($0.value) })
        #expect(Self.prefixed.folder(named: octets) == nil)
    }

    @Test(arguments: [
        "INBOX/=_=FC", "Shared/=_=FC", "Other Users/=_=FC", "=_INBOX", "=_=49NBOX", "=_&AEk-NBOX",
        "=3D49NBOX/=_=FC",
    ])
    func `a path with escapes names nothing outside the prefix`(path: String) throws {
        let folder = try #require(FolderPath(octets: Array(path.utf8)))
        #expect(Self.prefixed.name(of: folder) == nil)
    }

    @Test func `names and paths after a prefix map one to one`() throws {
        var generator = Seeded(state: 11)
        let parts = [
            "INBOX", "inbox", "Inbox", "=", "=3D", "=49", "=69", "nbox", "NBOX", "Shared", "/", ".",
        ]
        var paths: [FolderPath: ByteBuffer] = [:]
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...5, using: &generator)
            let text = (0..<count).map { _ in parts.randomElement(using: &generator) ?? "" }
                .joined()
            if let folder = FolderPath(octets: Array(text.utf8)),
                let name = Self.prefixed.name(of: folder)
            {
                #expect(Self.prefixed.folder(named: name) == folder)
            }
            let name = ByteBuffer(string: "INBOX." + text)
            guard let folder = Self.prefixed.folder(named: name) else { continue }
            #expect(Self.prefixed.name(of: folder) == name)
            #expect(paths.updateValue(name, forKey: folder).map { $0 == name } ?? true)
        }
        #expect(paths.count > 1_000)
    }

    @Test func `a prefix is omitted only if all folders have it`() throws {
        let personal: [[[UInt8]]] = [
            [[], Array("INBOX.".utf8)], [Array("INBOX".utf8)], [Array("INBOX/".utf8)],
        ]
        for prefixes in personal {
            let names = UpstreamNames(
                UpstreamProfile(
                    capabilities: [],
                    delimiter: UInt8(ascii: "."),
                    personalPrefixes: prefixes
                )
            )
            let folder = try #require(FolderPath(octets: Array("Trash".utf8)))
            #expect(names.name(of: folder).map { String(buffer: $0) } != "INBOX.Trash")
        }
    }

    @Test func `the time for a name's first component does not grow with its length`() throws {
        let name = ByteBuffer(string: "INBOX.=" + String(repeating: "3D", count: 300) + "49NBOX")
        for _ in 0..<1_000 {
            let folder = Self.prefixed.folder(named: name)
            #expect(folder.flatMap(Self.prefixed.name(of:)) == name)
        }
    }

    @Test func `only names in the personal namespace belong to the account`() throws {
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "INBOX")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "inbox")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "INBOX.Sent")) != nil)
        #expect(Self.prefixed.folder(named: ByteBuffer(string: "shared.x")) == nil)
        let outside = try #require(FolderPath(octets: Array("shared/x".utf8)))
        // A folder of the account that has the same name as the other namespace.
        #expect(Self.prefixed.name(of: outside).map { String(buffer: $0) } == "INBOX.shared.x")
    }
}
