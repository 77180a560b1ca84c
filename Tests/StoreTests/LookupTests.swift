import Access
import Store
import Testing

/// Parsing and look-up of users, accounts, subjects and folders.
@Suite struct LookupTests {
    /// Texts and their normalized address; nil for an invalid text.
    static let addresses: [(String, String?)] = [
        ("anna@kanzlei.example", "anna@kanzlei.example"),
        ("ANNA@KANZLEI.EXAMPLE", "anna@kanzlei.example"),
        ("e\u{301}va@x.example", "\u{E9}va@x.example"),
        ("\u{C9}va@x.example", "\u{C9}va@x.example"),
        ("anna", "anna"), ("a.b+c@x.example", "a.b+c@x.example"), ("anna@x", "anna@x"),
        ("a@b@c.example", "a@b@c.example"),
        ("anna@x.example.", nil), ("anna@.example", nil), ("anna@", nil), ("@", nil), ("", nil),
        (" anna", nil), ("anna\n", nil), ("a\\b", nil), ("anna@b\u{FC}ro.example", nil),
        ("a\u{200D}b", nil), ("a\u{A0}b", nil), ("a\u{7F}", nil),
    ]

    @Test(arguments: addresses)
    func `an address has one normalized form`(text: String, expected: String?) throws {
        let address = try? PermissionStore.address(text)
        #expect(address.map { Array($0.description.utf8) } == expected.map { Array($0.utf8) })
    }

    /// Folder texts, and their path; nil for an invalid text.
    static let folders: [(String, String?)] = [
        ("Akten", "Akten"), ("inbox", "INBOX"), ("Inbox/a", "INBOX/a"), ("inboxes", "inboxes"),
        ("a/inbox", "a/inbox"), ("Akten/Neu", "Akten/Neu"), ("B\u{FC}ro", "B\u{FC}ro"),
        ("Bu\u{308}ro", "Bu\u{308}ro"), ("a b", "a b"), ("", nil), ("/", nil), ("/a", nil),
        ("a/", nil), ("a//b", nil), ("a\u{0}", nil), ("a\nb", nil), ("a\u{7F}", nil),
        (Array(repeating: "a", count: 32).joined(separator: "/"), "deep"),
        (Array(repeating: "a", count: 33).joined(separator: "/"), nil),
        (String(repeating: "a", count: 2_048), "long"), (String(repeating: "a", count: 2_049), nil),
    ]

    @Test(arguments: folders)
    func `folder paths are compared octet for octet`(text: String, expected: String?) throws {
        let path = try? PermissionStore.folder(text)
        switch expected {
        case nil: #expect(path == nil)
        case "deep", "long": #expect(path?.octets == Array(text.utf8))
        case let expected?: #expect(path?.octets == Array(expected.utf8))
        }
    }

    @Test func `an account is found by each of its addresses`() throws {
        let office = try Office()
        for name in ["bob@kanzlei.example", "B@kanzlei.example", "b@KANZLEI.example"] {
            #expect(try office.store.account(name).address == "bob@kanzlei.example")
        }
        #expect(
            Office.refusal { try office.store.account("c@kanzlei.example") }?
                .contains("gatepost account add c@kanzlei.example") == true
        )
    }

    /// Texts for a subject, and the name in reports.
    @Test(arguments: [
        ("ANNA@kanzlei.example", "anna@kanzlei.example"),
        ("anna@kanzlei.example", "anna@kanzlei.example"),
        ("group:Büro", "group:Büro"), ("group:büro", nil), ("GROUP:Büro", nil), ("Büro", nil),
        ("group:Bu\u{308}ro", nil), ("group:", nil), ("nobody", nil), ("", nil),
    ])
    func `logins ignore case, and group names are compared octet for octet`(
        text: String,
        canonical: String?
    ) throws {
        let office = try Office()
        try office.group("Büro")
        #expect((try? office.store.canonical(text)) == canonical)
    }

    @Test func `a person has the login and the addresses of owned accounts`() throws {
        let office = try Office()
        try office.temporary.addAccount("zweit", owner: "bob", aliases: ["z@kanzlei.example"])
        let people = try office.store.people()
        #expect(people.map(\.login) == ["anna", "bob", "carl"].map(Office.full))
        #expect(people[0].addresses == [Office.full("anna")])
        #expect(
            people[1].addresses == Set(["bob", "b", "zweit", "z"].map(Office.full))
        )
        #expect(people[2].addresses == Set(["carl", "sales"].map(Office.full)))
    }
}
