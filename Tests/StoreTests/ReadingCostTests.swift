import Access
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

/// The number of statements that a list takes, and the tables that a command reads whole. Neither
/// depends on time.
@Suite struct ReadingCostTests {
    /// The tables that grow with the number of users.
    private static let large = [
        "user", "users", "account", "address", "grant", "g", "member", "withdrawal", "w", "wall",
        "inside", "group",
    ]

    /// A store with users and accounts, each with an alias, groups of five, and rules.
    private static func store(_ count: Int) throws -> PermissionStoreTests.Temporary {
        let temporary = try PermissionStoreTests.Temporary()
        try temporary.store.engine.write(locking: .model) { database in
            for id in 1...count {
                try database.execute(
                    sql: "INSERT INTO user (id, login) VALUES (?, ?)",
                    arguments: [id, "u\(id)@kanzlei.example"]
                )
                try database.execute(
                    sql: "INSERT INTO \"group\" (id, name) VALUES (?, ?)",
                    arguments: [id, "g\(id)"]
                )
                try database.execute(
                    sql: """
                        INSERT INTO account (id, kind, owner, imapHost, imapPort, imapTLS, username)
                        VALUES (?, 'imap', ?, 'mail.example', 993, 'implicit', 'x')
                        """,
                    arguments: [id, id]
                )
                try database.execute(
                    sql: "INSERT INTO address VALUES (?, ?, 1), (?, ?, 0)",
                    arguments: ["u\(id)@kanzlei.example", id, "b\(id)@kanzlei.example", id]
                )
            }
            for id in 1...count {
                let next = id % count + 1
                try database.execute(
                    sql: "INSERT INTO member (\"group\", user) VALUES (?, ?)",
                    arguments: [id, next]
                )
                try database.execute(
                    sql: """
                        INSERT INTO "grant" (account, user, "group", rights, send, author, created)
                        VALUES (?, ?, NULL, 'lr', 'none', 'test', 7),
                            (?, NULL, ?, 'lr', 'none', 'test', 7)
                        """,
                    arguments: [id, next, id, next]
                )
                try database.execute(
                    sql: """
                        INSERT INTO wall (account, user, reason, author, created)
                        VALUES (?, ?, 'Mandat', 'test', 7)
                        """,
                    arguments: [next, id]
                )
            }
        }
        return temporary
    }

    /// The statements that a body runs on the store.
    private static func statements(
        _ store: PermissionStore,
        _ body: () throws -> Void
    ) throws -> [String] {
        let seen = Mutex<[String]>([])
        let note: @Sendable (Database.TraceEvent) -> Void = { event in
            guard case .statement(let statement) = event else { return }
            seen.withLock { $0.append(statement.sql) }
        }
        let pool = try #require(store.engine as? SQLiteEngine).current.database
        try pool.read { $0.trace(options: .statement, note) }
        pool.writeWithoutTransaction { $0.trace(options: .statement, note) }
        try body()
        pool.writeWithoutTransaction { $0.trace(options: .statement, nil) }
        try pool.read { $0.trace(options: .statement, nil) }
        // A trigger is traced as a comment.
        return seen.withLock { $0.filter { !$0.hasPrefix("--") } }
    }

    /// Reading, with a name for each.
    static let lists: [(String, @Sendable (PermissionStore) throws -> Int)] = [
        ("users", { try $0.users().count }), ("groups", { try $0.groups().count }),
        ("accounts", { try $0.accounts().count }), ("walls", { try $0.walls().count }),
        ("grants", { try $0.grants(account: nil, subject: nil).count / 2 }),
        ("export", { try $0.export().accounts?.count ?? 0 }),
        ("people", { try $0.people().count }),
        ("snapshot", { try $0.load().access.accounts.count }),
        ("review", { try $0.review(account: nil, subject: nil).accounts.count }),
    ]

    @Test(arguments: lists)
    func `a list takes the same number of statements, however long it is`(
        name: String,
        read: @Sendable (PermissionStore) throws -> Int
    ) throws {
        let counts = try [3, 40].map { size in
            let temporary = try Self.store(size)
            return try Self.statements(temporary.store) {
                let length = try read(temporary.store)
                #expect(length == size)
            }.count
        }
        #expect(counts[0] == counts[1] && counts[0] > 0 && counts[0] < 30, "\(counts)")
    }

    /// Commands about one user and account.
    static let single: [(String, @Sendable (PermissionStore) throws -> Void)] = [
        (
            "explain",
            {
                let login = try PermissionStore.address("u5@kanzlei.example")
                _ = try $0.explanation(of: login, account: login)
            }
        ),
        ("grant list", { _ = try $0.grants(account: "u5@kanzlei.example", subject: nil) }),
        ("of a user", { _ = try $0.grants(account: nil, subject: "u5@kanzlei.example") }),
        ("of a group", { _ = try $0.grants(account: nil, subject: "group:g5") }),
        ("review", { _ = try $0.review(account: "u5@kanzlei.example", subject: nil) }),
        ("of a member", { _ = try $0.review(account: nil, subject: "u5@kanzlei.example") }),
        ("account show", { _ = try $0.account("u5@kanzlei.example") }),
        ("group show", { _ = try $0.group("g5") }),
        ("user show", { _ = try $0.user("u5@kanzlei.example") }),
        (
            "grant add",
            {
                let request = GrantRequest(
                    account: "u5@kanzlei.example",
                    subject: "u9@kanzlei.example",
                    rights: .view,
                    send: .none,
                    scope: .account
                )
                try $0.addGrant(request, consent: .notify, actor: "test")
            }
        ),
        (
            "grant to a group",
            {
                let request = GrantRequest(
                    account: "u5@kanzlei.example",
                    subject: "group:g9",
                    rights: .view,
                    send: .none,
                    scope: .account
                )
                try $0.addGrant(request, consent: .notify, actor: "test")
            }
        ),
        (
            "grant remove",
            {
                _ = try $0.removeGrants(
                    account: "u5@kanzlei.example",
                    subject: "group:g6",
                    view: true,
                    send: true,
                    actor: "test"
                )
            }
        ),
        ("group leave", { try $0.leave(["u6@kanzlei.example"], from: "g5", actor: "test") }),
        ("group remove", { try $0.removeGroup("g5", actor: "test") }),
        (
            "wall remove",
            {
                try $0.removeWall(
                    account: "u6@kanzlei.example",
                    subject: "u5@kanzlei.example",
                    actor: "test"
                )
            }
        ),
        ("account remove", { try $0.removeAccount("u5@kanzlei.example", actor: "test") }),
    ]

    @Test(arguments: single)
    func `a command about one account or subject reads no table whole`(
        name: String,
        run: @Sendable (PermissionStore) throws -> Void
    ) throws {
        let temporary = try Self.store(12)
        let store = temporary.store
        defer { withExtendedLifetime(temporary) {} }
        let statements = try Self.statements(store) { try run(store) }
        #expect(!statements.isEmpty && statements.count < 60, "\(statements.count)")
        try #require(store.engine as? SQLiteEngine).current.database.read { database in
            for sql in Set(statements) where Self.isPlanned(sql) {
                for step in try Self.plan(of: sql, database) {
                    let words = step.split(separator: " ")
                    // The index of grants to everyone has no others.
                    let isWhole =
                        words.first == "SCAN" && Self.large.contains(String(words[1]))
                        && !step.contains("grantEveryone")
                    #expect(!isWhole, "\(step): \(sql)")
                    // Most rows have NULL in the column of a subject.
                    #expect(!sql.contains(" IS ?") || !sql.contains("user IS ?"), "\(sql)")
                }
            }
        }
    }

    private static func isPlanned(_ sql: String) -> Bool {
        let verbs = ["SELECT", "DELETE", "UPDATE", "INSERT"]
        return verbs.contains { sql.hasPrefix($0) } && !sql.contains("sqlite_")
            && !sql.contains("PRAGMA")
    }

    private static func plan(of sql: String, _ database: Database) throws -> [String] {
        let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
        statement.setUncheckedArguments(
            StatementArguments(
                [(any DatabaseValueConvertible)?](
                    repeating: nil,
                    count: sql.filter { $0 == "?" }.count
                )
            )
        )
        return try Row.fetchAll(statement).map { $0["detail"] }
    }
}
