import Access
import SASL
import Testing

@testable import Store

/// The departure of users.
@Suite struct UserDepartureTests {
    private static let anna = Office.full("anna")
    private static let bob = Office.full("bob")
    private static let carl = Office.full("carl")

    /// Bob owns `bob`, has a grant, an app password, a role, and is in a group and in one of the
    /// directory.
    private func furnished() throws -> Office {
        let office = try Office()
        try office.group("Team", "bob", "anna")
        try office.store.addGroup("Listed", ldap: "(cn=listed)", actor: "test")
        _ = try office.store.setMembers(
            of: DirectoryGroup(name: "Listed", filter: "(cn=listed)"),
            to: DirectoryGroupPeople(
                logins: [[Self.bob]],
                unresolved: [],
                moment: Moment(seconds: 5_000)
            ),
            actor: "test"
        )
        try office.grant("info", "bob", .edit, send: .as)
        try office.grant("info", "group:Team")
        try office.grant("bob", "anna")
        _ = try office.store.addAppPassword("Phone", of: Self.bob, expires: nil, actor: "test")
        try office.store.setRole(.settings, osUser: "bob", of: Self.bob, actor: "test")
        return office
    }

    private func leave(_ office: Office, successor: String? = nil) throws -> UserDeparture {
        try office.store.leave(
            "BOB@kanzlei.example",
            successor: successor.map(Office.full),
            actor: "test"
        )
    }

    @Test func `everything goes in one edit, and the record has a line for each thing`() throws {
        let office = try self.furnished()
        try office.store.setPassword("secret", of: Self.bob, actor: "test")
        let revision = try office.store.revision()
        let before = try office.store.load()
        let planned = try office.store.departure(of: Self.bob, successor: Self.carl)
        #expect(try office.store.revision() == revision, "a plan changes nothing")
        let departure = try self.leave(office, successor: "carl")
        #expect(departure == planned)
        #expect(departure.login == Self.bob && departure.successor == Self.carl)
        #expect(departure.accounts == [Self.bob])
        #expect(departure.grants.map(\.account) == [Office.full("info")])
        #expect(departure.groups == ["Listed", "Team"] && departure.directoryGroups == ["Listed"])
        #expect(departure.appPasswords == ["Phone"] && departure.role == "settings")
        #expect(departure.osUser == "bob" && !departure.wasDisabled)
        #expect(try office.store.revision() == revision + 1)
        let record = try #require(try office.store.auditEntries().last?.record)
        #expect(
            record.detail == [
                "user leave BOB@kanzlei.example successor \(Self.carl)",
                "account \(Self.bob): owner \(Self.carl)",
                "grant 1 removed: info@kanzlei.example \(Self.bob) lrswite, send as",
                "left group:Listed", "left group:Team", "app password Phone revoked",
                "role settings removed", "os-user bob removed", "password removed, disabled",
            ]
        )

        let user = try office.store.user(Self.bob)
        #expect(user.disabled && user.role == nil && user.osUser == nil)
        #expect(try office.store.account(Self.bob).owner == Self.carl)
        #expect(try office.store.grants(account: nil, subject: Self.bob).isEmpty)
        #expect(try office.store.group("Team").members == [Self.anna])
        #expect(try office.store.appPasswords(of: Self.bob).isEmpty)
        #expect(try office.store.grants(account: Self.bob, subject: Self.anna).count == 1)
        #expect(Office.refusal { try office.store.verify("secret", of: Self.bob) } != nil)
        let after = try office.store.load()
        let id = try office.user("bob", in: after.access)
        #expect(after.passwords[id] == nil && !after.knows(id, as: before))
    }

    @Test func `the next snapshot is the one that a full load gives`() throws {
        let office = try self.furnished()
        try office.wall("info", "group:Team")
        let before = try office.store.load()
        _ = try self.leave(office, successor: "carl")
        let next = try office.store.loadNext(office.temporary.masterKey, after: before)
        let bob = try office.user("bob", in: next.access)
        #expect(!next.access.isEnabled(bob))
        for name in ["bob", "info", "sales"] {
            let account = try office.account(name, in: next.access)
            #expect(!next.access.access(of: bob, to: account, at: .current).isVisible)
        }
        let carl = try office.user("carl", in: next.access)
        let account = try office.account("bob", in: next.access)
        #expect(next.access.access(of: carl, to: account, at: .current).isOwner)
    }

    @Test func `without a successor the accounts have no owner`() throws {
        let office = try self.furnished()
        _ = try self.leave(office)
        #expect(try office.store.account(Self.bob).owner == nil)
        // Once more there is nothing left to take.
        let again = try self.leave(office)
        #expect(again.accounts.isEmpty && again.grants.isEmpty && again.groups.isEmpty)
        #expect(again.wasDisabled)
    }

    @Test func `walls and withdrawals stay in effect, also those against groups`() throws {
        let office = try self.furnished()
        try office.group("Firm", "group:Team")
        try office.wall("info", "bob", "Mandat 1")
        try office.wall("bob", "group:Firm", "Mandat 2")
        try office.withdraw("sales", "group:Team", .send)
        let departure = try self.leave(office, successor: "carl")
        #expect(departure.walls.map(\.subject) == ["group:Firm", Self.bob])
        #expect(departure.withdrawals.map(\.subject) == ["group:Team"])
        let walls = try office.store.walls().filter { $0.subject == Self.bob }
        #expect(walls.map(\.account) == [Self.bob, Office.full("info")])
        #expect(walls.map(\.reason) == ["Mandat 2 (group:Firm)", "Mandat 1"])
        let withdrawn = try office.store.withdrawals(account: nil, subject: Self.bob)
        #expect(withdrawn.map(\.send) == [true] && withdrawn.map(\.view) == [false])
        // Enabled again, with new grants, the user is still kept out.
        try office.store.setDisabled(false, login: Self.bob, actor: "test")
        for name in ["info", "bob"] {
            try office.grant(name, "bob")
            #expect(try !office.access(of: "bob", to: name).isVisible, "\(name)")
        }
        // And cannot be removed while that is so.
        #expect(
            Office.refusal { try office.store.removeUser(Self.bob, actor: "test") }?
                .contains("is kept out of") == true
        )
    }

    @Test func `a group of the directory lists the user again, without an effect`() throws {
        let office = try self.furnished()
        try office.grant("info", "group:Listed")
        _ = try self.leave(office)
        _ = try office.store.setMembers(
            of: DirectoryGroup(name: "Listed", filter: "(cn=listed)"),
            to: DirectoryGroupPeople(
                logins: [[Self.bob]],
                unresolved: [],
                moment: Moment(seconds: 6_000)
            ),
            actor: "test"
        )
        #expect(try office.store.group("Listed").members == [Self.bob])
        #expect(try !office.access(of: "bob", to: "info").isVisible)
    }

    @Test func `imported grants go, and a load from before cannot be saved`() throws {
        let office = try self.furnished()
        var permissions = ImportedPermissions()
        permissions.entries = [
            ImportedPermissions.Entry(login: Self.bob, rights: "lr", folder: "INBOX")
        ]
        try office.saved("sales", permissions)
        _ = try office.staged("sales", permissions)
        let departure = try self.leave(office)
        #expect(departure.grants.map(\.source) == ["local", "exchange"])
        #expect(try office.store.grants(account: nil, subject: Self.bob).isEmpty)
        let refusal = Office.refusal {
            try office.store.saveStages(
                of: [Office.full("sales")],
                confirmsEveryone: false,
                actor: "test"
            )
        }
        #expect(refusal != nil)
    }

    /// What is done before, the successor, and a part of the refusal.
    static let successors: [(String, String, String)] = [
        ("none", "bob", "cannot be the successor"), ("none", "nobody", "no user"),
        ("disable", "anna", "is disabled"), ("wall", "anna", "is kept out of"),
        ("group wall", "anna", "is kept out of"),
    ]

    @Test(arguments: successors)
    func `a successor who may not own an account is refused, and nothing changes`(
        before: String,
        successor: String,
        says: String
    ) throws {
        let office = try self.furnished()
        switch before {
        case "disable":
            try office.store.setDisabled(true, login: Self.anna, actor: "test")
        case "wall": try office.wall("bob", "anna")
        case "group wall": try office.wall("bob", "group:Team")
        default: break
        }
        let revision = try office.store.revision()
        for isPlan in [true, false] {
            let refusal = Office.refusal {
                isPlan
                    ? try office.store.departure(of: Self.bob, successor: Office.full(successor))
                    : try self.leave(office, successor: successor)
            }
            #expect(refusal?.contains(says) == true, "\(refusal ?? "not refused")")
        }
        #expect(try office.store.revision() == revision)
        #expect(try !office.store.user(Self.bob).disabled)
    }

    @Test func `a withdrawal keeps a successor from an Exchange account`() throws {
        let office = try self.furnished()
        try office.withdraw("sales", "anna", .view)
        let refusal = Office.refusal {
            try office.store.leave(Self.carl, successor: Self.anna, actor: "test")
        }
        #expect(refusal?.contains("is kept out of \(Office.full("sales"))") == true)
        let departure = try office.store.leave(Self.carl, successor: Self.bob, actor: "test")
        #expect(departure.accounts == [Office.full("sales")])
    }
}
