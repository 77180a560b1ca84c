import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// The tables, and the migration of stores of earlier versions.
@Suite struct SchemaTests {
    /// The names of the migrations in order; they never change.
    static let versions = [
        "2026-11-23 first", "2026-11-24 imports from Exchange",
        "2026-11-24 names that loads depend on", "2026-11-24 transfers between accounts",
        "2026-11-25 audit log, roles, notices", "2026-11-29 copies that transfers made, notices",
        "2026-11-29 folders that users unsubscribed from", "2026-11-30 rules by whom they name",
        "2026-11-30 copies in Sent that are required",
        "2026-11-30 rows that changed in each revision",
        "2026-11-30 one version of all names",
        "2026-11-30 audit logs of several nodes",
        "2026-11-30 audit log by node and number",
        "2026-11-30 grants by account and subject",
        "2026-11-30 processes that make transfers", "2026-12-01 app passwords",
        "2026-12-01 groups of the directory",
    ]

    private static func temporary(_ body: (DatabaseQueue, String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("gatepost.sqlite").path
        try body(try DatabaseQueue(path: path), path)
    }

    /// The definitions of the tables and their indexes.
    private static func shape(_ queue: DatabaseQueue) throws -> [String] {
        try queue.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master
                    WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name
                    """
            )
        }
    }

    @Test func `every column of an account is recorded, or counts loads from Exchange`() throws {
        try Self.temporary { queue, _ in
            try Schema.migrator.migrate(queue)
            let columns = try queue.read { try $0.columns(in: "account").map(\.name) }
            let counted = ["permissionsVersion", "permissionsLoaded"]
            #expect(Set(columns) == Set(Schema.accountColumns + counted))
        }
    }

    @Test func `versions keep their names and their order`() {
        #expect(Schema.migrator.migrations == Self.versions)
    }

    @Test(arguments: versions)
    func `a store of each version migrates to the last`(version: String) throws {
        var expected: [String] = []
        try Self.temporary { queue, _ in
            try Schema.migrator.migrate(queue)
            expected = try Self.shape(queue)
        }
        try Self.temporary { queue, path in
            try Schema.migrator.migrate(queue, upTo: version)
            try queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO user (id, login) VALUES (1, 'anna@x.example');
                        INSERT INTO "group" (id, name) VALUES (1, 'g');
                        INSERT INTO member ("group", user) VALUES (1, 1);
                        INSERT INTO account (id, kind, owner, imapHost, imapPort, imapTLS, username)
                            VALUES (1, 'imap', 1, 'a.example', 993, 'implicit', 'a');
                        INSERT INTO address VALUES ('bob@x.example', 1, 1);
                        INSERT INTO "grant" (account, "group", rights, send, folder, subtree,
                                author, created)
                            VALUES (1, 1, 'lr', 'as', x'416B74656E', 1, 'kim', 5);
                        """
                )
            }
            try queue.close()
            let store = try PermissionStore(path: path)
            let row = try #require(try store.grants(account: nil, subject: nil).first)
            #expect(row.subject == "group:g" && row.account == "bob@x.example")
            #expect(row.rights == "lr" && row.send == "as" && row.folder == "Akten" && row.subtree)
            #expect(row.author == "kim" && row.created == 5 && row.confirmed)
            #expect(try store.group("g").members == ["anna@x.example"])
            #expect(try store.integrityProblem() == nil)
            try store.addGroup("neu", actor: "test")
            store.close()
            let after = try DatabaseQueue(path: path)
            #expect(try Self.shape(after) == expected)
        }
    }

    @Test func `earlier change records become the first audit records`() throws {
        try Self.temporary { queue, path in
            try Schema.migrator.migrate(queue, upTo: "2026-11-24 transfers between accounts")
            try queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO change (moment, actor, what) VALUES (7, 'kim', 'user add a'),
                            (9, 'eve', 'user add b');
                        INSERT INTO user (login, role) VALUES ('kim', 'administrator');
                        """
                )
            }
            try queue.close()
            let store = try PermissionStore(path: path)
            let entries = try store.auditEntries()
            #expect(entries.map(\.moment.seconds) == [7, 9])
            #expect(entries.map(\.record.actor) == ["kim", "eve"])
            #expect(entries.map { $0.record.detail ?? [] } == [["user add a"], ["user add b"]])
            #expect(try store.login(ofOSUser: "kim") == "kim")
        }
    }

    @Test func `a store of a newer version is refused and not changed`() throws {
        try Self.temporary { queue, path in
            try Schema.migrator.migrate(queue)
            try queue.write { database in
                try database.execute(
                    sql: "INSERT INTO grdb_migrations (identifier) VALUES ('2099-01-01 later')"
                )
            }
            try queue.close()
            let refusal = Office.refusal { try PermissionStore(path: path) }
            #expect(refusal?.contains("newer version of gatepost: install that") == true)
            let after = try DatabaseQueue(path: path)
            let applied = try after.read(Schema.migrator.appliedIdentifiers)
            #expect(applied.contains("2099-01-01 later"))
            #expect(applied.count == Self.versions.count + 1)
        }
    }

    @Test func `a missing store is created only on request`() throws {
        try Self.temporary { _, path in
            let other = path + "-other"
            let refusal = Office.refusal { try PermissionStore(path: other, creates: false) }
            #expect(refusal?.contains("no store at \(other): gatepost init") == true)
            #expect(!FileManager.default.fileExists(atPath: other))
            let store = try PermissionStore(path: other)
            #expect(try store.users().isEmpty && store.revision() == 1)
        }
    }

    /// Rows that the tables reject, whoever writes them.
    static let forbidden = [
        // Duplicate names.
        "INSERT INTO user (login) VALUES ('a')", "INSERT INTO \"group\" (name) VALUES ('g')",
        "INSERT INTO address VALUES ('bob', 1, 0)", "INSERT INTO address VALUES ('zwei', 1, 1)",
        // Values outside their range.
        "UPDATE user SET disabled = 2", "UPDATE user SET role = 'root'",
        "UPDATE account SET kind = 'pop'", "UPDATE account SET imapPort = 0",
        "UPDATE account SET imapPort = 65536", "UPDATE account SET imapTLS = 'maybe'",
        "UPDATE account SET sentCopy = 'all'", "UPDATE account SET sentCopyRequired = 2",
        "UPDATE account SET disabled = 5",
        // Both a user and a group, or neither.
        "INSERT INTO member (\"group\", user, inner) VALUES (1, 1, 1)",
        "INSERT INTO member (\"group\") VALUES (1)",
        "INSERT INTO wall (account, reason, author, created) VALUES (1, 'x', 'x', 1)",
        "INSERT INTO wall (account, user, \"group\", reason, author, created) VALUES (1, 1, 1, 'x', 'x', 1)",
        "INSERT INTO withdrawal (account, user, view, send, author, created) VALUES (1, 1, 0, 0, 'x', 1)",
        // Grants that give nothing, grants for everyone without Exchange, and a subtree without
        // a folder.
        "INSERT INTO \"grant\" (account, user, rights, send, author, created) VALUES (1, 1, '', 'none', 'x', 1)",
        "INSERT INTO \"grant\" (account, everyone, rights, send, author, created) VALUES (1, 1, 'l', 'none', 'x', 1)",
        "INSERT INTO \"grant\" (account, user, rights, send, subtree, author, created) VALUES (1, 1, 'l', 'none', 1, 'x', 1)",
        "INSERT INTO \"grant\" (account, user, rights, send, via, author, created) VALUES (1, 1, 'l', 'none', 'x', 'x', 1)",
        "INSERT INTO \"grant\" (account, user, rights, send, author, created) VALUES (1, 1, 'l', 'both', 'x', 1)",
        // References to missing rows.
        "INSERT INTO member (\"group\", user) VALUES (1, 99)", "UPDATE account SET owner = 99",
        "INSERT INTO subscription (user, account, folder) VALUES (99, 1, x'41')",
        "INSERT INTO subscription (user, account, folder, isSubscribed) VALUES (1, 1, x'41', 2)",
        // Invalid journal entries.
        "INSERT INTO transferCopy (transfer, append, source, octets, date, digest) VALUES (99, 1, 1, 1, 1, zeroblob(32))",
        "INSERT INTO revision VALUES (2, 5)",
        "INSERT INTO auditSeal VALUES ('end', 1, x'', 1, x'')",
    ]

    @Test(arguments: forbidden)
    func `the tables reject invalid rows`(sql: String) throws {
        try Self.temporary { queue, path in
            try Schema.migrator.migrate(queue)
            try queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO user (id, login) VALUES (1, 'a');
                        INSERT INTO "group" (id, name) VALUES (1, 'g');
                        INSERT INTO account (id, kind, imapHost, imapPort, imapTLS, username)
                            VALUES (1, 'imap', 'a.example', 993, 'implicit', 'a');
                        INSERT INTO address VALUES ('bob', 1, 1);
                        """
                )
            }
            #expect(throws: DatabaseError.self) {
                try queue.write { try $0.execute(sql: sql) }
            }
        }
    }

    /// Look-ups of an edit, with their index.
    @Test(arguments: [
        ("SELECT 1 FROM member WHERE user IN (1)", "memberUser"),
        ("SELECT 1 FROM member WHERE inner IN (1)", "memberInner"),
        ("SELECT 1 FROM \"grant\" WHERE account IN (1)", "grantAccount"),
        ("SELECT 1 FROM wall WHERE account IN (1)", "wallAccount"),
        ("SELECT 1 FROM withdrawal WHERE account IN (1)", "withdrawalAccount"),
    ])
    func `the look-ups of an edit use an index`(sql: String, index: String) throws {
        try Self.temporary { queue, _ in
            try Schema.migrator.migrate(queue)
            let plan = try queue.read { database in
                try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)")
                    .map { $0["detail"] as String }.joined(separator: "\n")
            }
            #expect(plan.contains(index), "\(plan)")
        }
    }
}
