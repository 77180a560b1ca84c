import Access
import Foundation
import GRDB
import Support
import Testing

@testable import Store

@Suite struct AuditTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    private static func record(_ event: String) -> (moment: Moment, record: AuditRecord) {
        var record = AuditRecord(event: event, actor: "anna@kanzlei.example", from: "192.0.2.7")
        record.account = "bob@kanzlei.example"
        record.folder = "Übersicht"
        record.because = ["grant 1 to anna@kanzlei.example"]
        return (Moment(seconds: 1_000), record)
    }

    /// Changes the file without the store, as anybody with write access can.
    static func tamper(
        _ temporary: PermissionStoreTests.Temporary,
        _ sql: String,
        _ arguments: StoreArguments = []
    ) throws {
        let isFile = !PostgreSQLCluster.isChosen
        for trigger in isFile ? ["auditUpdated", "auditDeleted"] : ["auditChanged"] {
            try temporary.tamper("DROP TRIGGER IF EXISTS \(trigger)\(isFile ? "" : " ON audit")")
        }
        for statement in sql.contains("TRIGGER") ? [sql[...]] : sql.split(separator: ";") {
            try temporary.tamper(String(statement), arguments)
        }
    }

    private static func problems(_ temporary: Temporary) throws -> [String] {
        try temporary.store.verifyAudit(temporary.masterKey).problems
    }

    @Test func `an unchanged log verifies without a problem`() throws {
        let temporary = try Temporary()
        #expect(try Self.problems(temporary).first?.contains("there is no seal") == true)
        #expect(throws: StoreError.self) { try temporary.store.sealAudit(temporary.masterKey) }
        #expect(try temporary.store.sealAudit(temporary.masterKey, begins: true) != nil)
        #expect(try temporary.store.sealAudit(temporary.masterKey) == nil)
        #expect(try temporary.store.verifyAudit(temporary.masterKey).count == 0)
        #expect(try Self.problems(temporary) == [])
        try temporary.addUsers("anna", "bob")
        try temporary.store.audit((0..<50).map { Self.record("select \($0)") })
        let seal = try #require(try temporary.store.sealAudit(temporary.masterKey))
        let found = try temporary.store.verifyAudit(temporary.masterKey, anchors: [seal.anchor])
        #expect(found.problems == [])
        let chain = try #require(found.only)
        #expect(chain.count == 52 && chain.first == 1 && chain.last == 52 && chain.sealed == 52)
    }

    @Test func `verification detects every changed bit of every record`() throws {
        let temporary = try Temporary()
        try temporary.store.audit([Self.record("select"), Self.record("fetch")])
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        let queue = try DatabaseQueue(path: temporary.path)
        try queue.write { try $0.execute(sql: "DROP TRIGGER auditUpdated") }
        let rows = try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM audit") }
        var flips = 0
        for row in rows {
            let sequence: Int64 = row["sequence"]
            let text = Data((row["record"] as String).utf8)
            let hash: Data = row["hash"]
            let moment: Int64 = row["moment"]
            // Text that is not UTF-8 is kept, as a changed file may have it.
            for (column, octets, sql) in [
                ("record", text, "CAST(? AS TEXT)"), ("hash", hash, "?"),
            ] {
                for bit in 0..<octets.count * 8 {
                    var changed = octets
                    changed[changed.startIndex + bit / 8] ^= 1 << UInt8(bit % 8)
                    try queue.write { database in
                        let update = "UPDATE audit SET \(column) = \(sql) WHERE sequence = ?"
                        try database.execute(sql: update, arguments: [changed, sequence])
                    }
                    let found = try? Self.problems(temporary)
                    #expect(found != [], "bit \(bit) of \(column) of \(sequence)")
                    flips += 1
                    try queue.write { database in
                        let update = "UPDATE audit SET \(column) = \(sql) WHERE sequence = ?"
                        try database.execute(sql: update, arguments: [octets, sequence])
                    }
                }
            }
            for bit in 0..<62 {
                for (column, value) in [("moment", moment), ("sequence", sequence)] {
                    let update = "UPDATE OR REPLACE audit SET \(column) = ? WHERE sequence = ?"
                    let changed = value ^ (1 << Int64(bit))
                    guard changed != 3 - sequence || column == "moment" else { continue }
                    try queue.write {
                        try $0.execute(sql: update, arguments: [changed, sequence])
                    }
                    #expect(try Self.problems(temporary) != [], "bit \(bit) of \(column)")
                    flips += 1
                    let back = column == "sequence" ? changed : sequence
                    try queue.write { try $0.execute(sql: update, arguments: [value, back]) }
                }
            }
        }
        #expect(flips > 2_000)
        #expect(try Self.problems(temporary) == [])
    }

    static let attacks: [(String, String)] = [
        ("DELETE FROM audit WHERE sequence = 5", "record 5 is missing"),
        ("DELETE FROM audit WHERE sequence BETWEEN 3 AND 6", "records 3 to 6 are missing"),
        ("DELETE FROM audit WHERE sequence = 1", "record 1 is missing"),
        ("DELETE FROM audit WHERE sequence > 7", "the log ends at 7, and was sealed at 10"),
        ("DELETE FROM audit", "the log ends at 0, and was sealed at 10"),
        (
            "UPDATE audit SET sequence = CASE sequence WHEN 4 THEN -5 ELSE -4 END "
                + "WHERE sequence IN (4, 5); UPDATE audit SET sequence = -sequence "
                + "WHERE sequence < 0",
            "record 4 was changed"
        ),
        (
            "INSERT INTO audit (node, sequence, moment, record, hash) SELECT node, 11, moment, record, hash FROM audit WHERE sequence = 3",
            "record 11 was changed"
        ),
        ("UPDATE audit SET moment = moment + 1 WHERE sequence = 9", "record 9 was changed"),
        ("DELETE FROM auditSeal", "there is no seal"),
        ("UPDATE auditSeal SET sequence = 7", "was not made with this master key"),
        ("UPDATE auditSeal SET moment = moment + 1", "was not made with this master key"),
    ]

    @Test(arguments: attacks)
    func `verification detects removed, moved and cut-off records`(
        sql: String,
        problem: String
    ) throws {
        let temporary = try Temporary()
        try temporary.store.audit((1...10).map { Self.record("select \($0)") })
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        try Self.tamper(temporary, sql)
        let found = try Self.problems(temporary)
        #expect(found.contains { $0.contains(problem) }, "\(found)")
    }

    @Test func `verification detects a rewritten log by its seal`() throws {
        let temporary = try Temporary()
        try temporary.store.audit((1...5).map { Self.record("select \($0)") })
        let first = try temporary.store.sealAudit(temporary.masterKey, begins: true)
        let seal = try #require(first)
        try Self.tamper(temporary, "DELETE FROM audit")
        try temporary.store.audit((1...5).map { Self.record("nothing \($0)") })
        #expect(try Self.problems(temporary) == ["record 5 is not the one that was sealed"])
        // Neither sealing nor retention seals the rewritten log.
        #expect(throws: StoreError.self) { try temporary.store.sealAudit(temporary.masterKey) }
        #expect(throws: StoreError.self) {
            try temporary.store.deleteAudit(
                before: Moment(seconds: 5_000),
                masterKey: temporary.masterKey
            )
        }
        // After a new seal with the key, only the seal that was kept elsewhere reveals the
        // change.
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        #expect(try Self.problems(temporary) == [])
        let found = try temporary.store.verifyAudit(temporary.masterKey, anchors: [seal.anchor])
        #expect(!found.problems.isEmpty)
        #expect(throws: StoreError.self) {
            try temporary.store.verifyAudit(temporary.masterKey, anchors: ["5:xyz"])
        }
        // A seal past the end, or before the start, proves nothing.
        let beyond = AuditAnchor(node: seal.node, sequence: 99, hash: StoreTransaction.firstHash)
            .description
        #expect(
            try temporary.store.verifyAudit(temporary.masterKey, anchors: [beyond]).problems
                == ["the log ends at 5, and was sealed at 99"]
        )
    }

    @Test(arguments: [
        "DELETE FROM audit WHERE sequence > 3", "DELETE FROM audit WHERE sequence = 5",
        "UPDATE audit SET moment = 7 WHERE sequence = 2", "DELETE FROM auditSeal",
        "UPDATE audit SET record = '{}' WHERE sequence = 5",
    ])
    func `a log that was changed since the last seal is not sealed`(sql: String) throws {
        let temporary = try Temporary()
        try temporary.store.audit((1...2).map { Self.record("select \($0)") })
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        try temporary.store.audit((3...4).map { Self.record("select \($0)") })
        try temporary.store.sealAudit(temporary.masterKey)
        try temporary.store.audit((5...6).map { Self.record("select \($0)") })
        try Self.tamper(temporary, sql)
        if sql.contains("sequence = 2") {
            // A change before the seal: the seal stays and does not match.
            try temporary.store.sealAudit(temporary.masterKey)
        } else {
            #expect(throws: StoreError.self) { try temporary.store.sealAudit(temporary.masterKey) }
        }
        #expect(try Self.problems(temporary) != [])
    }

    @Test func `triggers reject updates and deletions of records`() throws {
        let temporary = try Temporary()
        try temporary.store.audit([Self.record("select")])
        let queue = try DatabaseQueue(path: temporary.path)
        for sql in ["UPDATE audit SET moment = 0", "DELETE FROM audit"] {
            #expect(throws: DatabaseError.self) {
                try queue.write { try $0.execute(sql: sql) }
            }
        }
    }

    /// A gateway that stopped before it sealed its last records, and starts again much later.
    @Test func `retention may delete records after the last seal`() throws {
        let temporary = try Temporary()
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        for second in 1...4 {
            var record = Self.record("select")
            record.moment = Moment(seconds: Int64(second))
            try temporary.store.audit([record])
        }
        let before = Moment(seconds: 5)
        #expect(
            try temporary.store.deleteAudit(before: before, masterKey: temporary.masterKey) == 4
        )
        #expect(try Self.problems(temporary) == [])
        try temporary.store.audit([Self.record("select")])
        #expect(try temporary.store.sealAudit(temporary.masterKey) != nil)
        #expect(try Self.problems(temporary) == [])
    }

    @Test func `retention deletes old records and leaves a seal`() throws {
        let temporary = try Temporary()
        for second in 1...10 {
            var record = Self.record("select")
            record.moment = Moment(seconds: Int64(second))
            try temporary.store.audit([record])
        }
        let before = Moment(seconds: 5)
        let first = try temporary.store.sealAudit(temporary.masterKey, begins: true)
        let seal = try #require(first)
        #expect(
            try temporary.store.deleteAudit(before: before, masterKey: temporary.masterKey) == 4
        )
        #expect(
            try temporary.store.deleteAudit(before: before, masterKey: temporary.masterKey) == 0
        )
        let found = try temporary.store.verifyAudit(temporary.masterKey)
        #expect(found.problems == [] && found.only?.first == 5 && found.only?.last == 11)
        let old = seal.anchor.replacing("10:", with: "3:")
        #expect(
            try temporary.store.verifyAudit(temporary.masterKey, anchors: [old]).problems.first?
                .contains("were deleted by retention") == true
        )
        // Retention may also delete the rest; the numbers continue.
        #expect(
            try temporary.store.deleteAudit(
                before: Moment(seconds: 100),
                masterKey: temporary.masterKey
            ) == 6
        )
        #expect(try Self.problems(temporary) == [])
        try temporary.store.audit([Self.record("select")])
        try temporary.store.sealAudit(temporary.masterKey)
        #expect(try Self.problems(temporary) == [])
        try Self.tamper(temporary, "DELETE FROM auditSeal WHERE kind = 'start'")
        #expect(try Self.problems(temporary).contains { $0.contains("missing") })
    }

    @Test func `a change and its record are committed together`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try temporary.store.addGrant(
            GrantRequest(
                account: "b@kanzlei.example",
                subject: "anna@kanzlei.example",
                rights: .view,
                send: .as,
                reason: "Urlaub"
            ),
            actor: "kim"
        )
        let entries = try temporary.store.auditEntries(account: "B@kanzlei.example", user: "kim")
        let record = try #require(entries.last?.record)
        #expect(record.account == "bob@kanzlei.example" && record.actor == "kim")
        #expect(
            record.detail == [
                "grant add b@kanzlei.example anna@kanzlei.example",
                "the whole account: rights lr, sending as", "reason: Urlaub",
            ]
        )
        let texts = try temporary.store.auditEntries().map { "\($0.record)" }.joined()
        #expect(!texts.contains("up p"))
        // If the log cannot be written, the change is not made.
        try Self.tamper(
            temporary,
            "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        #expect(throws: StoreError.self) { try temporary.addUsers("clara") }
        #expect(try temporary.store.users().count == 2)
    }
}
