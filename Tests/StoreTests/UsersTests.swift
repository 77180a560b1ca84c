import Access
import Foundation
import GRDB
import Store
import Testing

/// Users, their passwords, and their removal.
@Suite struct UsersTests {
    @Test func `an added user has the given values`() throws {
        let office = try Office()
        try office.store.addUser(
            NewUser("DORA@kanzlei.example", name: "Dora D.", role: "settings", osUser: "dora"),
            actor: "test"
        )
        #expect(
            try office.store.user("dora@KANZLEI.example")
                == UserRow(
                    login: "dora@kanzlei.example",
                    name: "Dora D.",
                    role: "settings",
                    disabled: false,
                    osUser: "dora"
                )
        )
        // A user with a role and no other operating-system name has the login as the name.
        try office.store.addUser(NewUser("eva", role: "administrator"), actor: "test")
        #expect(try office.store.user("eva").osUser == "eva")
        try office.store.addUser(NewUser("finn"), actor: "test")
        #expect(try office.store.user("finn").osUser == nil)
        #expect(
            try office.store.users().map(\.login) == [
                "anna@kanzlei.example", "bob@kanzlei.example", "carl@kanzlei.example",
                "dora@kanzlei.example", "eva", "finn",
            ]
        )
    }

    /// Logins, and a part of the refusal; nil for an accepted login.
    static let logins: [(String, String?)] = [
        ("dora", nil), ("ANNA@kanzlei.example", "exists"), ("anyone", "choose another login"),
        ("group:x", "choose another login"), ("GROUP:x", "choose another login"),
        ("Anyone", "choose another login"), ("anyone@x.example", nil), ("", "cannot be a login"),
        ("a b", "cannot be a login"), ("a/b", "cannot be a login"), ("a*", "cannot be a login"),
        ("a!b", "cannot be a login"), ("a%b", "cannot be a login"), ("a\"b", "cannot be a login"),
        ("dora@", "cannot be a login"), ("@x.example", "cannot be a login"),
        ("a@b..example", "cannot be a login"), ("a@büro.example", "ASCII form"),
        ("dör@x.example", nil), (String(repeating: "a", count: 254), nil),
        (String(repeating: "a", count: 255), "cannot be a login"),
        ("a\u{202E}b", ""),
    ]

    @Test(arguments: logins)
    func `a login that denotes several users is refused`(login: String, says: String?) throws {
        let office = try Office()
        let refusal = Office.refusal { try office.store.addUser(NewUser(login), actor: "test") }
        if let says {
            let isSaid = refusal?.contains(says) ?? false
            #expect(isSaid || says.isEmpty && refusal != nil, "\(refusal ?? "not refused")")
            #expect(try office.store.users().count == 3)
        } else {
            #expect(refusal == nil)
            #expect(try office.store.users().count == 4)
        }
    }

    @Test func `a new password replaces the old one and increments its version`() throws {
        let office = try Office()
        let (first, second) = ("eins", "zwei")
        try office.store.setPassword(first, of: Office.full("anna"), actor: "test")
        let before = try office.store.load()
        try office.store.verify(first, of: Office.full("ANNA"))
        try office.store.setPassword(second, of: Office.full("anna"), actor: "test")
        let after = try office.store.load()
        let anna = try office.user("anna", in: after.access)
        #expect(!after.knows(anna, as: before) && after.knows(anna, as: after))
        let bob = try office.user("bob", in: after.access)
        #expect(after.knows(bob, as: before))
        #expect(after.passwords[bob] == nil)
        #expect(Office.refusal { try office.store.verify(first, of: Office.full("anna")) } != nil)
        try office.store.verify(second, of: Office.full("anna"))
        #expect(
            Office.refusal { try office.store.setPassword("", of: Office.full("anna"), actor: "t") }
                == "the password is empty"
        )
        // The old hash is no longer in the files.
        let hash = try #require(before.passwords[anna]).hash.text
        let files = [office.temporary.path, office.temporary.path + "-wal"]
        for file in files {
            let octets = (try? Data(contentsOf: URL(fileURLWithPath: file))) ?? Data()
            #expect(octets.range(of: Data(hash.utf8)) == nil, "\(file)")
        }
    }

    /// The login, the password, and whether it is accepted.
    @Test(arguments: [
        ("anna@kanzlei.example", "geheim", true), ("ANNA@kanzlei.example", "geheim", true),
        ("anna@kanzlei.example", "geheim ", false), ("anna@kanzlei.example", "Geheim", false),
        ("anna@kanzlei.example", "", false), ("bob@kanzlei.example", "geheim", false),
        ("carl@kanzlei.example", "geheim", false), ("nobody@kanzlei.example", "geheim", false),
        ("a b", "geheim", false),
    ])
    func `a wrong login or password is refused and recorded`(
        login: String,
        password: String,
        isRight: Bool
    ) throws {
        let office = try Office()
        try office.store.setPassword("geheim", of: Office.full("anna"), actor: "test")
        try office.store.setPassword("geheim", of: Office.full("carl"), actor: "test")
        try office.store.setDisabled(true, login: Office.full("carl"), actor: "test")
        let refusal = Office.refusal { try office.store.verify(password, of: login) }
        #expect((refusal == nil) == isRight, "\(refusal ?? "right")")
        let records = try office.store.auditEntries().map(\.record).filter { $0.event == "login" }
        // An invalid login is refused before that.
        #expect(records.count == (isRight || login.contains(" ") ? 0 : 1))
        #expect(records.allSatisfy { $0.outcome == .refused && $0.actor == login })
    }

    @Test func `a disabled user has no access until enabled again`() throws {
        let office = try Office()
        try office.grant("info", "anna", .edit)
        try office.store.setDisabled(true, login: Office.full("anna"), actor: "test")
        #expect(try office.access(of: "anna", to: "info").reasons == [.disabledUser])
        #expect(try office.store.user(Office.full("anna")).disabled)
        try office.store.setDisabled(false, login: Office.full("anna"), actor: "test")
        #expect(try office.access(of: "anna", to: "info").coversAccount == .edit)
    }

    @Test func `removing a user removes everything that refers to the user`() throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.grant("info", "anna", .edit)
        try office.grant("info", "group:g", .view)
        try office.store.removeUser(Office.full("anna"), actor: "test")
        #expect(try office.store.grants(account: nil, subject: nil).map(\.subject) == ["group:g"])
        #expect(try office.store.group("g").members.isEmpty)
        try office.temporary.addUsers("anna")
        #expect(try office.access(of: "anna", to: "info").anywhere == [])
    }

    @Test func `an owner or a barred user cannot be removed`() throws {
        let office = try Office()
        try office.temporary.addAccount("zweit", owner: "bob")
        let owns = Office.refusal {
            try office.store.removeUser(Office.full("bob"), actor: "test")
        }
        #expect(owns?.contains("owns bob@kanzlei.example, zweit@kanzlei.example") == true)
        try office.wall("info", "anna")
        try office.withdraw("sales", "anna", .view)
        let kept = Office.refusal {
            try office.store.removeUser(Office.full("anna"), actor: "test")
        }
        #expect(
            kept?.contains("is kept out of info@kanzlei.example, sales@kanzlei.example") == true
        )
        #expect(kept?.contains("or gatepost user disable anna@kanzlei.example") == true)
        // A document cannot remove them either.
        var document = try office.store.export()
        document.users?.removeAll { $0.login == Office.full("anna") }
        document.grants = []
        #expect(throws: StoreError.self) {
            try office.store.apply(document, dryRun: false, actor: "test")
        }
        #expect(try office.store.users().count == 3)
        // A denial in Exchange does not prevent the removal.
        try office.saved(
            "sales",
            ImportedPermissions(denials: [
                .init(login: Office.full("anna"), view: true, send: true)
            ])
        )
        try office.store.removeWall(
            account: Office.full("info"),
            subject: Office.full("anna"),
            actor: "test"
        )
        try office.restore("sales", "anna", .view)
        try office.store.removeUser(Office.full("anna"), actor: "test")
        #expect(try office.store.users().count == 2)
        #expect(try office.store.withdrawals(account: nil, subject: nil).isEmpty)
    }
}
