import Access
import Foundation
import SASL
import Support
import Synchronization
import Testing

@testable import Store

/// Nodes that share one database of PostgreSQL.
@Suite struct PostgreSQLEngineTests {
    private let folder: TemporaryFolder
    private let url: String
    private let masterKey = MasterKey()

    init() throws {
        self.folder = try TemporaryFolder()
        self.url = try PostgreSQLCluster.shared.get().database()
    }

    private var database: String { PostgreSQLCluster.name(of: self.url) }

    private func node(_ name: String, creates: Bool = true) throws -> PermissionStore {
        let server = PostgreSQLServer(url: self.url, node: name, state: self.folder.url.path)
        return try PermissionStore(.postgreSQL(server), creates: creates)
    }

    /// Runs SQL text behind the back of all nodes.
    private func psql(_ sql: String) throws {
        try PostgreSQLCluster.shared.get().psql(sql, database: self.database)
    }

    private func add(_ name: String, to store: PermissionStore) throws {
        try store.addUser(NewUser("\(name)@kanzlei.example"), actor: "test")
    }

    private func refusal<Value>(_ body: () throws -> Value) -> String {
        do {
            _ = try body()
            return "(not refused)"
        } catch {
            return "\(error)"
        }
    }

    private static func mailbox(_ account: Int64, folder: String) throws -> Transfer.Mailbox {
        Transfer.Mailbox(
            account: AccountID(account),
            folder: try Office.path(folder),
            uidValidity: 1
        )
    }

    /// What a node has in force after a look; its text if it refuses.
    private func look(
        _ store: PermissionStore,
        after known: StoreSnapshot?
    ) throws -> StoreSnapshot? {
        try store.engine.newest(self.masterKey, after: known, always: false, answered: {})
    }

    // MARK: - Changes of other nodes

    @Test func `an edit of one node is in force on the other one at its next look`() throws {
        let (one, other) = (try self.node("one"), try self.node("other"))
        try one.sealAudit(self.masterKey, begins: true)
        var known = try other.load()
        #expect(try self.look(other, after: known) == nil)
        for name in ["anna", "bob", "clara"] {
            try self.add(name, to: one)
            known = try #require(try self.look(other, after: known))
            let login = try #require(Address("\(name)@kanzlei.example".utf8))
            #expect(known.access.user(login: login) != nil)
            #expect(try self.look(other, after: known) == nil)
        }
        #expect(known.access.users.count == 3)
    }

    @Test func `the other node is told of an edit before its interval ends`() throws {
        let (one, other) = (try self.node("one"), try self.node("other"))
        _ = try self.look(other, after: try other.load())
        let start = ContinuousClock.now
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.2)
            try? one.addUser(NewUser("anna@kanzlei.example"), actor: "test")
        }
        other.engine.wait(atMost: .seconds(60))
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(try other.users().count == 1)
    }

    @Test(.timeLimit(.minutes(20))) func `a look that fails after a silence opens nothing`()
        async throws
    {
        let store = try self.node("one")
        var changes = store.changes(
            every: .milliseconds(50),
            silence: .milliseconds(300),
            masterKey: self.masterKey,
            after: try store.load()
        ).makeAsyncIterator()
        let cluster = try PostgreSQLCluster.shared.get()
        let (start, database) = (ContinuousClock.now, self.database)
        Thread.detachNewThread {
            // Looks wait for the lock, and give up after a second.
            try? cluster.psql(
                "BEGIN; LOCK TABLE revision; SELECT pg_sleep(5); COMMIT",
                database: database
            )
        }
        let first = try #require(await changes.next())
        #expect(first.published == nil)
        var next = try #require(await changes.next())
        while next.published == nil { next = try #require(await changes.next()) }
        #expect(ContinuousClock.now - start > .seconds(5))
    }

    @Test func `edits of several nodes at once get one revision each and lose nothing`() throws {
        let stores = try (0..<4).map { try self.node("node\($0)") }
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 40) { number in
            do {
                try stores[number % 4].addUser(
                    NewUser("u\(number)@kanzlei.example"),
                    actor: "test"
                )
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try stores[0].users().count == 40)
        #expect(try stores[0].revision() == 41)
        for store in stores { try store.sealAudit(self.masterKey, begins: true) }
        let found = try stores[0].verifyAudit(self.masterKey)
        #expect(found.problems.isEmpty && found.chains.count == 4)
    }

    // MARK: - A database that goes back

    @Test func `an older state is refused, also after edits that make up for its revision`() throws
    {
        let (one, other) = (try self.node("one"), try self.node("other"))
        try self.add("anna", to: one)
        let known = try other.load()
        // A restored backup, in which somebody made an edit instead of the lost one.
        try self.psql("DELETE FROM \"user\"; DELETE FROM revisiontoken WHERE revision = 2")
        try self.psql("INSERT INTO revisiontoken VALUES (2, '\\x00')")
        #expect(self.refusal { try self.look(other, after: known) }.contains("store accept"))
        try self.psql("UPDATE revision SET value = 3")
        #expect(self.refusal { try self.look(other, after: known) }.contains("store accept"))
        try self.psql("UPDATE revision SET value = 1")
        let text = self.refusal { try self.look(other, after: known) }
        #expect(text.contains("its revision 1 is older than 2"))
    }

    @Test func `an administrator puts an older state into force`() throws {
        let one = try self.node("one")
        try one.sealAudit(self.masterKey, begins: true)
        try self.add("anna", to: one)
        let known = try one.load()
        try self.psql("UPDATE revision SET value = 1")
        var waiting: WaitingStore?
        do {
            _ = try self.look(one, after: known)
        } catch let refusal as StoreRefusal {
            waiting = refusal.waiting
        }
        let candidate = try #require(waiting)
        #expect(!one.accept(WaitingStore(file: candidate.file, revision: 7)))
        #expect(one.accept(candidate))
        let next = try #require(try self.look(one, after: known))
        #expect(known.isOlder(than: next) && next.access.revision == 1)
        #expect(try self.look(one, after: next) == nil)
    }

    @Test func `another database in the place of the one in force is refused`() throws {
        let one = try self.node("one")
        let known = try one.load()
        try self.psql("UPDATE storeidentity SET id = id + 1")
        #expect(self.refusal { try self.look(one, after: known) }.contains("another store"))
    }

    // MARK: - Lost connections

    @Test func `a node continues after the server closed its connections`() throws {
        let one = try self.node("one")
        try self.add("anna", to: one)
        var known = try one.load()
        _ = try self.look(one, after: known)
        for round in 0..<3 {
            try self.psql(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """
            )
            // The connection that is told of changes notices at its next look.
            _ = try? self.look(one, after: known)
            try self.add("u\(round)", to: one)
            known = try #require(try self.look(one, after: known))
            #expect(known.access.users.count == round + 2)
        }
    }

    @Test func `a server that hangs ends the look, and not the process`() throws {
        let one = try self.node("one")
        let known = try one.load()
        _ = try self.look(one, after: known)
        let cluster = try PostgreSQLCluster.shared.get()
        // An exclusive lock on the table of nodes holds the next sign of life up.
        let blocker = try PostgreSQLConnection(
            PostgreSQLParameters(PostgreSQLServer(url: self.url, node: "blocker", state: "/")),
            node: "blocker"
        )
        try blocker.run("BEGIN; LOCK TABLE node IN ACCESS EXCLUSIVE MODE")
        Thread.sleep(forTimeInterval: 0.5)
        let start = ContinuousClock.now
        #expect(self.refusal { try self.look(one, after: known) }.contains("does not answer"))
        #expect(ContinuousClock.now - start < .seconds(8))
        try blocker.run("ROLLBACK")
        #expect(try self.look(one, after: known) == nil)
        _ = cluster
    }

    @Test func `two gateways with one name do not work at the same time`() throws {
        let (one, twin) = (try self.node("one"), try self.node("one"))
        _ = try self.look(one, after: nil)
        #expect(self.refusal { try self.look(twin, after: nil) }.contains("another gateway"))
        #expect(try one.livingNodes() == ["one"])
        one.close()
        #expect(try self.look(twin, after: nil) != nil)
        #expect(try twin.livingNodes() == ["one"])
    }

    @Test func `a transaction with a failed statement is never committed in silence`() throws {
        let one = try self.node("one")
        let text = self.refusal {
            try one.write(locking: .journal) { transaction in
                try transaction.execute(sql: "UPDATE nameVersion SET value = 77")
                // A caller that ignores the error.
                try? transaction.execute(sql: "SELECT nothing")
            }
        }
        #expect(text.contains("rolled back"))
        let value = try one.read {
            try $0.value(of: Int.self, sql: "SELECT value FROM nameVersion")
        }
        #expect(value == 0)
    }

    @Test func `only a transaction that holds locks is ended when its node is cut off`() throws {
        let one = try self.node("one")
        func timeout(_ transaction: StoreTransaction) throws -> String? {
            try transaction.value(
                of: String.self,
                sql: "SELECT current_setting('idle_in_transaction_session_timeout')"
            )
        }
        #expect(try one.read(timeout) == "0")
        #expect(try one.write(locking: .model, body: timeout) == "10s")
        let copying = try one.write(locking: .model) { transaction in
            try transaction.connection.allowPauses()
            return try timeout(transaction)
        }
        #expect(copying == "0")
        // The setting ends with its transaction.
        #expect(try one.read(timeout) == "0")
        #expect(try one.write(locking: .journal, body: timeout) == "10s")
    }

    // MARK: - Opening

    @Test func `a database without a store names the remedy`() throws {
        let text = self.refusal { try self.node("one", creates: false) }
        #expect(text.contains("gatepost store create"))
    }

    @Test func `the store of a newer version is refused`() throws {
        _ = try self.node("one")
        try self.psql("INSERT INTO gatepostmigration VALUES ('2099-01-01 later')")
        #expect(self.refusal { try self.node("one") }.contains("newer version of gatepost"))
    }

    @Test func `a server that is away names the place and keeps the password secret`() throws {
        let server = PostgreSQLServer(
            url: "postgresql://gate:geheim@127.0.0.1:9/mail",
            node: "one",
            state: "/"
        )
        let text = self.refusal { try PermissionStore(.postgreSQL(server)) }
        #expect(text.contains("database mail on 127.0.0.1") && !text.contains("geheim"))
    }

    @Test(arguments: [
        ("postgresql://db.example/mail", true),
        ("postgresql://db.example/mail?sslmode=verify-full", true),
        ("postgresql://db.example/mail?sslmode=verify-ca", true),
        ("postgresql://db.example/mail?sslmode=require", false),
        ("postgresql://db.example/mail?sslmode=prefer", false),
        ("postgresql://db.example/mail?sslmode=disable", false),
        ("postgresql://127.0.0.1,db.example/mail?sslmode=disable", false),
        ("postgresql://localhost/mail?hostaddr=192.0.2.7&sslmode=disable", false),
        ("postgresql://127.0.0.1.example/mail?sslmode=disable", false),
        ("postgresql:///mail?host=/run/postgresql", true),
        ("postgresql://127.0.0.1/mail?sslmode=disable", true),
        ("postgresql://[::1]/mail", true), ("postgresql:///mail?service=office", false),
    ])
    func `a server on another machine must be verified`(url: String, isAccepted: Bool) {
        let server = PostgreSQLServer(url: url, node: "one", state: "/")
        let parameters = try? PostgreSQLParameters(server)
        #expect((parameters != nil) == isAccepted)
    }

    // MARK: - Values

    @Test func `octets and texts come back as they were`() throws {
        let store = try self.node("one")
        var generator = Seeded(state: 7)
        for length in [0, 1, 2, 255, 256, 70_000] {
            let octets = Data(
                (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            )
            let text = String(decoding: octets, as: UTF8.self).replacing("\u{0}", with: "\\")
            try store.write(locking: .model) { transaction in
                try transaction.execute(
                    sql: "INSERT INTO setting (name, value) VALUES (?, ?)",
                    arguments: ["\(length)", text]
                )
                try transaction.execute(
                    sql: "INSERT INTO revisionToken (revision, token) VALUES (?, ?)",
                    arguments: [100 + length, octets]
                )
                let stored = try transaction.value(
                    of: String.self,
                    sql: "SELECT value FROM setting WHERE name = ?",
                    arguments: ["\(length)"]
                )
                #expect(stored.map { Array($0.utf8) } == Array(text.utf8))
                #expect(try transaction.token(of: Int64(100 + length)) == octets)
            }
        }
        let text = self.refusal {
            try store.write(locking: .model) {
                try $0.execute(
                    sql: "INSERT INTO setting VALUES (?, ?)",
                    arguments: ["a\u{0}b", ""]
                )
            }
        }
        #expect(text.contains("NUL"))
    }

    @Test(arguments: [
        ("SELECT user FROM user WHERE id = ?", "SELECT \"user\" FROM \"user\" WHERE id = $1"),
        ("SELECT '?', \"?\", user.id, ?, ?", "SELECT '?', \"?\", \"user\".id, $1, $2"),
        ("SELECT 'it''s user ?' || ?", "SELECT 'it''s user ?' || $1"),
        ("username, users, user_x, xuser", "username, users, user_x, xuser"),
        ("inner.name = outer.name", "\"inner\".name = \"outer\".name"),
        ("LEFT JOIN user", "LEFT JOIN \"user\""),
    ])
    func `a statement gets numbered values and quoted names`(sql: String, translated: String) {
        #expect(PostgreSQLStatement.translated(sql) == translated)
    }

    @Test(
        arguments: [
            ("0", 0), ("-1", -1), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("", nil),
            ("-", nil),
            ("1x", nil), ("t", nil), (" 1", nil),
        ] as [(String, Int64?)]
    )
    func `a number is read exactly or not at all`(text: String, number: Int64?) {
        let octets = Array(text.utf8)
        #expect(octets.withUnsafeBufferPointer { Int64(postgreSQLText: $0) } == number)
    }

    // MARK: - Copies between engines

    @Test func `a store is copied to the other engine and back`() throws {
        let office = try Office()
        try office.group("inner", "anna")
        try office.group("g", "bob", "group:inner")
        try office.grant("bob", "group:g", scope: .folder(try Office.path("Akten")))
        try office.wall("info", "carl")
        try office.withdraw("sales", "anna", .view)
        try office.store.sealAudit(office.temporary.masterKey, begins: true)
        let transfer = Transfer(
            moves: true,
            source: try Self.mailbox(1, folder: "A"),
            uids: [1],
            target: try Self.mailbox(2, folder: "B"),
            uidNext: 1
        )
        let entry = try #require(try office.store.recordTransfer(transfer))
        let document = try office.store.export()
        let target = try self.node("one")
        let migration = try office.store.copy(to: target)
        #expect(migration.revision == (try office.store.revision()))
        #expect(try target.export() == document)
        // The node completes the transfer that the file had.
        #expect(try target.transfers() == [entry])
        // Later keys continue, and all logs verify.
        try target.sealAudit(office.temporary.masterKey, begins: true)
        try self.add("dora", to: target)
        try self.add("dora", to: office.store)
        #expect(try target.users().map(\.login) == (try office.store.users().map(\.login)))
        let path = self.folder.url.appendingPathComponent("back.sqlite").path
        let back = try PermissionStore(path: path)
        _ = try target.copy(to: back)
        #expect(try back.export() == (try target.export()))
        #expect(try back.ownSeal() != nil)
        #expect(try back.verifyAudit(office.temporary.masterKey).problems.isEmpty)
        #expect(
            self.refusal { try office.store.copy(to: back) }.contains("the target has contents")
        )
        let known = try back.load()
        try self.add("emil", to: back)
        let next = try #require(
            try back.engine.newest(self.masterKey, after: known, always: false, answered: {})
        )
        #expect(next.access.users.count == known.access.users.count + 1)
    }
}
