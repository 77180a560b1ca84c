import Testing

@testable import Exchange

/// Whom a list in Exchange means, among the organisation's recipients.
@Suite struct DirectoryTests {
    private typealias Recipient = PermissionsDocument.Recipient
    private typealias Principal = PermissionsDocument.Principal

    private static let kim = "11111111-1111-1111-1111-111111111111"
    private static let lee = "22222222-2222-2222-2222-222222222222"

    private static func directory(isWhole: Bool = true) -> Directory {
        Directory(
            [
                Recipient(
                    guids: [self.kim],
                    sids: ["S-1-5-21-1", "S-1-5-21-9"],
                    addresses: ["SMTP:Kim@contoso.example", "smtp:k@contoso.example"],
                    names: ["Kim", "CONTOSO\\kim"]
                ),
                Recipient(
                    guids: ["{\(self.lee.uppercased())}"],
                    sids: ["S-1-5-21-2"],
                    addresses: ["lee@contoso.example"],
                    names: ["Lee", "Same"]
                ),
                Recipient(addresses: ["same@contoso.example"], names: ["Same"]),
            ],
            isWhole: isWhole
        )
    }

    private static func principal(
        _ name: String,
        sid: String? = nil,
        guid: String? = nil,
        address: String? = nil
    ) -> PermissionsDocument.Principal {
        Principal(name: name, sid: sid, guid: guid, address: address)
    }

    /// Principals, and the recipient that they are, by its place; -1 for none, -2 for several.
    private static let principals: [(PermissionsDocument.Principal, Int)] = [
        (principal("kim@contoso.example"), 0), (principal("KIM@CONTOSO.EXAMPLE"), 0),
        (principal("smtp:k@contoso.example"), 0), (principal("S-1-5-21-1"), 0),
        (principal("s-1-5-21-9"), 0),
        (principal("x", sid: "S-1-5-21-2"), 1), (principal(lee), 1), (principal("{\(lee)}"), 1),
        (principal("x", guid: lee.uppercased()), 1),
        (principal("x", address: "lee@contoso.example"), 1),
        (principal("Kim"), 0), (principal("contoso\\KIM"), 0), (principal("Same"), -2),
        (principal("nobody"), -1), (principal(""), -1), (principal("nobody@contoso.example"), -1),
        (principal("x500:/o=Kim"), -1), (principal("S-1-5-21-7"), -1),
        // What is known must point at one: a SID of the one with the address of the other is nobody.
        (principal("Kim", sid: "S-1-5-21-2"), 1),
        (principal("kim@contoso.example", sid: "S-1-5-21-2"), -2),
        (principal("x", guid: kim, address: "lee@contoso.example"), -2),
        // A name counts where nothing better is known, and not with a SID that is another's.
        (principal("Kim", sid: "S-1-5-21-7"), -1), (principal("Kim", guid: "33333333"), -1),
        (principal("Kim", address: "other@contoso.example"), -1),
        (principal("Same", sid: "S-1-5-21-7"), -1), (principal("Same", sid: "S-1-5-21-2"), 1),
    ]

    private static func place(_ finding: Directory.Finding) -> Int {
        switch finding {
        case .one(let index): index
        case .none: -1
        case .several: -2
        }
    }

    @Test func `a principal is one recipient, or nobody`() {
        let directory = Self.directory()
        for (principal, expected) in Self.principals {
            #expect(Self.place(directory.find(principal)) == expected, "\(principal)")
        }
    }

    @Test func `a name counts in a whole directory alone`() {
        let part = Self.directory(isWhole: false)
        #expect(part.find(Self.principal("Kim")) == .none)
        #expect(part.find(Self.principal("Same")) == .none)
        #expect(part.find(Self.principal("kim@contoso.example")) == .one(0))
        #expect(part.find(Self.principal("Kim", sid: "S-1-5-21-1")) == .one(0))
    }

    @Test func `a member is found by its GUID, in any spelling`() {
        let directory = Self.directory()
        #expect(directory.member(Self.kim) == .one(0))
        #expect(directory.member("{\(Self.lee.uppercased())}") == .one(1))
        #expect(directory.member("") == .none && directory.member("Kim") == .none)
        let twice = Directory(
            [Recipient(guids: [Self.kim]), Recipient(guids: [Self.kim])],
            isWhole: true
        )
        #expect(twice.member(Self.kim) == .several)
    }

    @Test(arguments: [
        ("kim@contoso.example", "kim@contoso.example"),
        ("SMTP:Kim@Contoso.example", "kim@contoso.example"),
        ("smtp:a@b", "a@b"), ("\u{212A}im@x.example", "\u{212A}im@x.example"),
        ("sip:kim@contoso.example", nil), ("x400:a@b", nil), ("kim", nil), ("@b", nil), ("a@", nil),
        ("a@b@c", nil), ("a\\b@c", nil), ("", nil), ("smtp:", nil),
    ])
    func `an address is folded in ASCII`(text: String, address: String?) {
        let found = Directory.address(text)
        #expect(found.map { Array($0.utf8) } == address.map { Array($0.utf8) })
    }
}
