import CLDAP
import Testing

@testable import LDAP

/// What the answers of a server mean.
struct DirectoryAnswerTests {
    @Test(
        arguments: [
            ("member", "member", nil, nil),
            ("Member;Range=0-1499", "member", 0, 1_499),
            ("member;range=1500-*", "member", 1_500, nil),
            ("userCertificate;binary", "usercertificate;binary", nil, nil),
            ("cn;lang-de;range=0-0", "cn;lang-de", 0, 0),
            ("", "", nil, nil),
        ] as [(String, String, Int?, Int?)]
    )
    func `a description has a name and a range`(
        text: String,
        name: String,
        first: Int?,
        last: Int?
    ) throws {
        let description = try #require(AttributeDescription(Array(text.utf8)))
        #expect(description.name == name)
        #expect(description.part?.first == first)
        #expect(description.part?.last == last)
    }

    @Test(arguments: [
        "member;range=", "member;range=1", "member;range=5-2", "member;range=a-b",
        "member;range=-1-5", "member;range=0-99999999999999999999", "member;range=0-1;range=2-3",
        "member;range=*-*", "member;range=0-4294967296", "member;range=1-+5",
    ])
    func `a range that is none breaks the description`(text: String) {
        #expect(AttributeDescription(Array(text.utf8)) == nil)
    }

    @Test func `an entry collects the ranges of an attribute`() throws {
        var entry = DirectoryEntry(name: "cn=group")
        let first = try #require(AttributeDescription(Array("member;range=0-1".utf8)))
        entry.add(try #require(AttributeDescription(Array("member".utf8))), values: [])
        entry.add(first, values: [[1], [2]])
        #expect(entry.missing == ["member": 2])
        var next = DirectoryEntry(name: "cn=group")
        next.add(try #require(AttributeDescription(Array("MEMBER;range=2-*".utf8))), values: [[3]])
        let isWrong = entry.complete("member", from: 3, by: next)
        let isRight = entry.complete("member", from: 2, by: next)
        #expect(!isWrong)
        #expect(isRight)
        #expect(entry.missing.isEmpty)
        #expect(entry.values(of: "Member") == [[1], [2], [3]])
    }

    @Test func `strings are the values that are texts`() throws {
        var entry = DirectoryEntry(name: "cn=a")
        let values: [[UInt8]] = [[0x61], [0xFF], [0x61, 0], [], Array("ü".utf8)]
        entry.add(try #require(AttributeDescription(Array("cn".utf8))), values: values)
        #expect(entry.values(of: "CN") == values)
        #expect(entry.strings(of: "cn") == ["a", "", "ü"])
        #expect(entry.strings(of: "sn").isEmpty)
    }

    @Test(
        arguments: [
            (Array("cn=a".utf8), "cn=a"),
            ([0x63, 0x6E, 0x3D, 0xFF], "cn=\\ff"),
            ([0x63, 0x6E, 0x3D, 0x61, 0x00], "cn=a\\00"),
            ([], ""),
        ] as [([UInt8], String)]
    )
    func `the name of an entry is a text`(octets: [UInt8], expected: String) {
        #expect(DirectoryName.text(of: octets) == expected)
    }

    /// The kind of an error.
    private func kind(_ error: DirectoryError) -> String {
        switch error {
        case .refused: "refused"
        case .unavailable: "unavailable"
        case .failed: "failed"
        case .tooManyEntries: "tooManyEntries"
        }
    }

    @Test(
        arguments: [
            (49, "refused", "failed"), (48, "refused", "failed"), (19, "refused", "failed"),
            (53, "refused", "failed"), (50, "refused", "failed"), (32, "refused", "failed"),
            (52, "unavailable", "unavailable"), (51, "unavailable", "unavailable"),
            (-1, "unavailable", "unavailable"), (-5, "unavailable", "unavailable"),
            (3, "unavailable", "unavailable"), (10, "failed", "failed"), (14, "failed", "failed"),
            (4, "failed", "failed"), (1, "failed", "failed"), (34, "failed", "failed"),
            (80, "failed", "failed"), (123_456, "failed", "failed"), (-100, "failed", "failed"),
        ] as [(CInt, String, String)]
    )
    func `a result code is an error of its kind`(code: CInt, bind: String, search: String) {
        let result = DirectoryResult(code: code, text: "x")
        #expect(self.kind(result.error(of: .bind)) == bind)
        #expect(self.kind(result.error(of: .search)) == search)
    }

    @Test(arguments: [
        ("AcceptSecurityContext error, data 52e, v2580", "wrong user name or password"),
        ("80090308: LdapErr: DSID-0C09, comment: error, DATA 775, v1", "the account is locked"),
        ("data 532", "the password has expired"),
        ("data 533,", "the account is disabled"),
        ("data 773 x", "the user must change the password first"),
        ("data", nil), ("data xyz", nil), ("", nil), ("metadata 52e", nil),
    ])
    func `a sub-code of Active Directory has a meaning`(text: String, meaning: String?) {
        #expect(DirectoryResult.activeDirectoryHint(text) == meaning)
    }

    @Test(arguments: [
        ("", DirectoryIdentity.anonymous),
        ("dn:", .anonymous),
        ("dn:uid=anna,dc=x", .name("uid=anna,dc=x")),
        ("u:KANZLEI\\anna", .user("KANZLEI\\anna")),
        ("x", nil), ("DN:cn=a", nil), ("dn:a\u{0}", nil),
    ])
    func `an identity is a name, a user or nobody`(text: String, expected: DirectoryIdentity?) {
        #expect(DirectoryIdentity(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        ("shut\r\ndown", "shut??down"),
        ("\u{1B}[2J\u{0}", "?[2J?"),
        ("Müller", "Müller"),
        ("a\u{202E}b\u{2028}c\u{A0}d", "a?b?c?d"),
    ])
    func `the text of a server has no control character`(text: String, expected: String) {
        #expect(PeerText.printable(text.utf8) == expected)
    }

    @Test func `the text of a server is short`() {
        let text = PeerText.printable(String(repeating: "x", count: 100_000).utf8)
        #expect(text.count == PeerText.maximumCharacters + 3)
        #expect(PeerText.printable([0xFF, 0xC3]).unicodeScalars.allSatisfy { $0 != "\u{0}" })
    }

    @Test func `a result has a limit of octets and of values`() throws {
        var allowance = ResultAllowance(DirectoryLimits(resultOctets: 10, resultValues: 2))
        try allowance.take(octets: 6, values: 1)
        #expect(throws: DirectoryError.self) { try allowance.take(octets: 5) }
        try allowance.take(octets: 4, values: 1)
        #expect(throws: DirectoryError.self) { try allowance.take(octets: 0, values: 1) }
    }

    @Test(
        arguments: [
            ([0x30, 0x05, 0x02, 0x01, 0x00, 0x04, 0x00], []),
            ([0x30, 0x07, 0x02, 0x01, 0x00, 0x04, 0x02, 0x00, 0xFF], [0x00, 0xFF]),
            ([0x30, 0x84, 0, 0, 0, 6, 0x02, 0x01, 0x00, 0x04, 0x01, 0x41], [0x41]),
            ([0x30, 0x08, 0x02, 0x02, 0x01, 0x00, 0x04, 0x82, 0x00, 0x00], []),
            ([], nil), ([0x30], nil), ([0x30, 0x00], nil), ([0x04, 0x00], nil),
            ([0x30, 0x80], nil),
            ([0x30, 0x85, 0, 0, 0, 0, 0], nil), ([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], nil),
            ([0x30, 0x03, 0x02, 0x01, 0x00], nil), ([0x30, 0x05, 0x02, 0x01, 0x00, 0x04], nil),
            ([0x30, 0x05, 0x02, 0x01, 0x00, 0x04, 0x01], nil),
            ([0x30, 0x05, 0x02, 0x01, 0x00, 0x04, 0x00, 0x00], nil),
            ([0x30, 0x07, 0x02, 0x01, 0x00, 0x04, 0x00, 0x05, 0x00], nil),
        ] as [([UInt8], [UInt8]?)]
    )
    func `a page control has a cookie`(value: [UInt8], cookie: [UInt8]?) {
        #expect(PageCookie.decode(value) == cookie)
    }
}
