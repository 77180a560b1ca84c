import Access
import Testing

/// Whom an identifier of an access control list names.
@Suite struct ACLChangeTests {
    @Test(arguments: [
        ("anna@kanzlei.example", "anna@kanzlei.example"), ("group:Büro", "group:Büro"),
        ("anyone else", "anyone else"), ("anyon", "anyon"), ("", ""), ("a-b", "a-b"),
        ("anyone", nil), ("anonymous", nil), ("-anna@kanzlei.example", nil), ("-", nil),
        ("-group:office", nil),
    ])
    func `negative rights and identifiers of everybody name nobody`(
        identifier: String,
        subject: String?
    ) throws {
        #expect(try Self.change(Array(identifier.utf8)).subject == subject)
    }

    @Test(arguments: [[0xFF], [0xC3], [0x61, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func `an identifier that is not UTF-8 names nobody`(octets: [UInt8]) throws {
        #expect(try Self.change(octets).subject == nil)
    }

    private static func change(_ identifier: [UInt8]) throws -> ACLChange {
        ACLChange(
            owner: UserID(1),
            account: AccountID(1),
            folder: try #require(FolderPath(octets: Array("INBOX".utf8))),
            identifier: identifier,
            kind: .add,
            rights: .view
        )
    }
}
