import Access
import Foundation
import GRDB
import SASL
import Testing

@testable import Store

/// A snapshot that is derived from the changes since the last one, against one that is read whole.
@Suite struct ChangesSinceRevisionTests {
    /// Everything in a snapshot, and every decision about its users, as text.
    private static func dump(_ snapshot: StoreSnapshot) throws -> [String] {
        let access = snapshot.access
        var lines = ["revision \(access.revision)"]
        let users = access.users.values.sorted { $0.id < $1.id }
        let accounts = access.accounts.values.sorted { $0.id < $1.id }
        for user in users {
            let password = snapshot.passwords[user.id].map { "\($0.hash.text) \($0.version)" }
            lines.append("\(user) \(password ?? "no password")")
            lines.append("\(access.user(login: user.login) == user)")
            lines.append("\(access.personalAccount(of: user.id)?.rawValue ?? 0)")
            lines.append("\(access.names(of: user.id).sorted())")
        }
        for group in access.groups.values.sorted(by: { $0.id < $1.id }) {
            lines.append("\(group.id) \(group.name) \(group.members.map { "\($0)" }.sorted())")
        }
        for account in accounts {
            let server = try #require(snapshot.endpoints[account.id])
            lines.append("\(account) \(server.server) \(server.credentialVersion)")
            lines.append("\(server.sealedPassword?.base64EncodedString() ?? "no credential")")
            for address in [account.address] + account.aliases {
                lines.append("\(address) \(access.account(address: address)?.id.rawValue ?? 0)")
            }
            for user in users {
                let decision = access.access(of: user.id, to: account.id, at: .current)
                lines.append("\(user.login) \(account.address) \(decision.reasons)")
            }
            let inbox = try Office.path("INBOX")
            lines.append("\(access.accessControlList(of: inbox, in: account.id, at: .current))")
        }
        return lines + ["\(snapshot.passwords.count) \(snapshot.endpoints.count)"]
    }

    /// The snapshot after `known`, if the store tells what changed.
    private static func derived(
        _ office: Office,
        after known: StoreSnapshot
    ) throws
        -> StoreSnapshot?
    {
        try office.store.read { try $0.snapshot(after: known) }
    }

    private struct Follower {
        let office: Office
        var known: StoreSnapshot

        init(_ office: Office) throws {
            self.office = office
            self.known = try office.store.load()
        }

        mutating func edit(_ comment: Comment, _ edit: () throws -> Void) throws {
            try edit()
            let next = try #require(
                try ChangesSinceRevisionTests.derived(self.office, after: self.known)
            )
            let whole = try self.office.store.load()
            #expect(
                try ChangesSinceRevisionTests.dump(next) == ChangesSinceRevisionTests.dump(whole),
                comment
            )
            self.known = next
        }
    }

    @Test func `the changes of each kind of edit give the snapshot of the whole store`() throws {
        let office = try Office()
        let store = office.store
        var follower = try Follower(office)
        try follower.edit("no edit") {}
        try follower.edit("a user") { try office.temporary.addUsers("dora") }
        try follower.edit("a password") {
            try store.setPassword("secret", of: "dora@kanzlei.example", actor: "test")
        }
        try follower.edit("disabled") {
            try store.setDisabled(true, login: "dora@kanzlei.example", actor: "test")
        }
        try follower.edit("enabled") {
            try store.setDisabled(false, login: "dora@kanzlei.example", actor: "test")
        }
        try follower.edit("a grant") { try office.grant("bob", "anna") }
        try follower.edit("more rights") { try office.grant("bob", "anna", .all, send: .as) }
        try follower.edit("a folder") {
            try office.grant("info", "anna", scope: .subtree(Office.path("Akten")))
        }
        try follower.edit("groups") {
            try office.group("inner", "anna", "carl")
            try office.group("outer", "group:inner", "dora")
        }
        try follower.edit("a grant to a group") { try office.grant("bob", "group:outer") }
        try follower.edit("a member leaves") {
            try store.leave(["carl@kanzlei.example"], from: "inner", actor: "test")
        }
        try follower.edit("a group leaves") {
            try store.leave(["group:inner"], from: "outer", actor: "test")
        }
        try follower.edit("a wall") { try office.wall("bob", "group:inner") }
        try follower.edit("no wall") {
            try store.removeWall(
                account: "bob@kanzlei.example",
                subject: "group:inner",
                actor: "test"
            )
        }
        try follower.edit("Exchange") {
            try office.saved(
                "sales",
                ImportedPermissions(
                    entries: [
                        .init(login: "anna@kanzlei.example", via: "Sales", rights: "lrs"),
                        .init(login: "dora@kanzlei.example", send: "as"),
                        .init(login: nil, rights: "", folder: "INBOX"),
                    ]
                )
            )
        }
        try follower.edit("a withdrawal") { try office.withdraw("sales", "anna", [.view]) }
        try follower.edit("given back") { try office.restore("sales", "anna", [.view]) }
        try follower.edit("another server") {
            var settings = AccountSettings()
            settings.imap = Endpoint(host: "other.example", port: 143, tls: .starttls)
            settings.owner = "carl@kanzlei.example"
            settings.aliases = ["new@kanzlei.example"]
            settings.password = Secret("other")
            try store.setAccount(
                "bob@kanzlei.example",
                settings: settings,
                masterKey: office.temporary.masterKey,
                actor: "test"
            )
        }
        try follower.edit("no group") { try store.removeGroup("outer", actor: "test") }
        try follower.edit("no account") {
            try store.removeAccount("info@kanzlei.example", actor: "test")
        }
        try follower.edit("no user") { try store.removeUser("dora@kanzlei.example", actor: "test") }
    }

    @Test func `several edits at once give the snapshot of the whole store`() throws {
        let office = try Office()
        let known = try office.store.load()
        try office.group("office", "anna")
        try office.grant("bob", "group:office")
        try office.grant("info", "anna")
        try office.store.removeGroup("office", actor: "test")
        try office.store.removeUser("anna@kanzlei.example", actor: "test")
        let next = try #require(try Self.derived(office, after: known))
        #expect(try Self.dump(next) == Self.dump(office.store.load()))
    }

    @Test func `a row that somebody else changes is noticed with the next revision`() throws {
        let office = try Office()
        try office.grant("bob", "anna")
        let known = try office.store.load()
        try office.tamper("UPDATE \"grant\" SET rights = 'l'")
        try office.tamper("UPDATE revision SET value = value + 1")
        let next = try #require(try Self.derived(office, after: known))
        #expect(try Self.dump(next) == Self.dump(office.store.load()))
        #expect(try Self.dump(next) != Self.dump(known))
    }

    @Test func `changes that are too old, too many or not recorded need the whole store`() throws {
        let office = try Office()
        let known = try office.store.load()
        try office.grant("bob", "anna")
        #expect(try Self.derived(office, after: known) != nil)
        // As if it was migrated a moment ago.
        let revision = try office.store.revision()
        try office.tamper("UPDATE rowChangeStart SET first = ?", [revision])
        #expect(try Self.derived(office, after: known) == nil)
        try office.tamper("UPDATE rowChangeStart SET first = 0")
        #expect(try Self.derived(office, after: known) != nil)
        // Old rows go with the next edit.
        try office.tamper(
            "UPDATE revision SET value = value + ?",
            [StoreTransaction.keptRevisions]
        )
        #expect(try Self.derived(office, after: known) == nil)
        try office.grant("info", "anna")
        let rows = try office.store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM rowChange")
        }
        #expect(rows == 1)
    }

    @Test func `a new user changes no account, however many there are`() throws {
        let office = try Office()
        for name in ["d", "e", "f", "g"] { try office.temporary.addAccount(name) }
        let revision = try office.store.revision()
        try office.temporary.addUsers("dora")
        let changed = try #require(try office.store.read { try $0.changedRows(since: revision) })
        #expect(changed.users.count == 1 && changed.accounts.isEmpty)
        let rows = try office.store.read {
            try $0.value(
                of: Int.self,
                sql: "SELECT count(*) FROM rowChange WHERE revision > ?",
                arguments: [revision]
            )
        }
        // The user's own row, written more than once; none of the seven accounts.
        #expect((1...3).contains(rows ?? 0))
    }

    @Test func `an edit of very many rows is recorded as one of the whole store`() throws {
        let office = try Office()
        let known = try office.store.load()
        try office.tamper(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO user (login) SELECT 'u' || i || '@kanzlei.example' FROM n
            """,
            [StoreTransaction.maximumChangedRows + 1]
        )
        try office.grant("bob", "anna")
        #expect(try Self.derived(office, after: known) == nil)
        let after = try office.store.load()
        let rows = try office.store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM rowChange")
        }
        #expect((rows ?? 0) < 100)
        try office.grant("info", "anna")
        #expect(try Self.derived(office, after: after) != nil)
    }
}
