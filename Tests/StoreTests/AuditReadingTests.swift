import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// Reading of the audit log: filters, limits, batches, and the indexes.
@Suite struct AuditReadingTests {
    private typealias Temporary = PermissionStoreTests.Temporary
    private typealias Item = (moment: Moment, record: AuditRecord)

    private static func address(_ number: Int) -> String { "u\(number)@kanzlei.example" }

    /// Records of several accounts, actors and kinds; their moments are not in order.
    private static func items(_ count: Int) -> [Item] {
        (0..<count).map { number in
            let actor = Self.address(number % 7)
            var record = AuditRecord(
                event: "event \(number)",
                actor: number % 11 == 0 ? "\(actor) as root" : actor
            )
            switch number % 5 {
            case 0, 1: record.account = Self.address(number % 13)
            case 2:
                record.account = Self.address(number % 13)
                record.targetAccount = Self.address(number % 3)
            case 3: record.detail = ["apply", "+ grant \"\(Self.address(number % 13))\" / \\ ü"]
            default: break
            }
            return (Moment(seconds: Int64(1_000 + number + (number % 3) * 40)), record)
        }
    }

    private static func matches(_ item: Item, filter: AuditFilter) -> Bool {
        let record = item.record
        if let since = filter.since, item.moment.seconds < since.seconds { return false }
        if let until = filter.until, item.moment.seconds >= until.seconds { return false }
        if let user = filter.user, record.actor != user, !record.actor.hasPrefix("\(user) as ") {
            return false
        }
        guard let account = filter.account else { return true }
        if record.account == account || record.targetAccount == account { return true }
        return record.account == nil && record.detail?.contains { $0.contains(account) } ?? false
    }

    private static func read(
        _ store: PermissionStore,
        _ filter: AuditFilter = AuditFilter(),
        limit: Int? = nil,
        after: AuditPosition? = nil
    ) throws -> [Int64] {
        var found: [Int64] = []
        try store.readAudit(filter, limit: limit, after: after) { entries in
            #expect(!entries.isEmpty && entries.count <= 1_000)
            found += entries.map(\.sequence)
        }
        return found
    }

    @Test func `each filter, limit and start finds what a search of all records finds`() throws {
        let temporary = try Temporary()
        let items = Self.items(2_600)
        try temporary.store.audit(items)
        var position = AuditPosition()
        position[try #require(temporary.store.auditNodes().first)] = 1_234
        var filters: [AuditFilter] = []
        for account in [nil, Self.address(1), Self.address(12), "nobody@kanzlei.example"] {
            for user in [nil, Self.address(0), Self.address(6), "root"] {
                for (since, until) in [
                    (nil, nil), (1_500, nil), (nil, 1_700), (1_400, 3_000), (9_999, nil), (nil, 5),
                ] as [(Int64?, Int64?)] {
                    filters.append(
                        AuditFilter(
                            account: account,
                            user: user,
                            since: since.map(Moment.init(seconds:)),
                            until: until.map(Moment.init(seconds:))
                        )
                    )
                }
            }
        }
        for filter in filters {
            let expected = items.indices.filter { Self.matches(items[$0], filter: filter) }
                .map { Int64($0 + 1) }
            #expect(try Self.read(temporary.store, filter) == expected, "\(filter)")
            for limit in [1, 7, 1_500, 10_000] {
                let found = try Self.read(temporary.store, filter, limit: limit)
                #expect(found == Array(expected.suffix(limit)), "\(filter) \(limit)")
            }
            let later = try Self.read(temporary.store, filter, after: position)
            #expect(later == expected.filter { $0 > 1_234 }, "\(filter)")
        }
    }

    @Test func `a reader that continues sees each new record once`() throws {
        let temporary = try Temporary()
        var last = try temporary.store.readAudit { _ in Issue.record("a record") }
        #expect(last == AuditPosition())
        var found: [Int64] = []
        for _ in 0..<5 {
            try temporary.store.audit(Self.items(3))
            last = try temporary.store.readAudit(after: last) { found += $0.map(\.sequence) }
        }
        let node = try #require(temporary.store.auditNodes().first)
        #expect(found == Array(1...15) && last[node] == 15)
        last = try temporary.store.readAudit(after: last) { _ in Issue.record("a record") }
        #expect(last[node] == 15)
        // Without new records, a filter does not look at the old ones again.
        let filter = AuditFilter(since: Moment(seconds: 99_999))
        #expect(try temporary.store.readAudit(filter) { _ in Issue.record("a record") } == last)
    }

    /// A list in a pager may wait for hours.
    @Test func `between two batches no transaction is open`() throws {
        let temporary = try Temporary()
        try temporary.store.audit(Self.items(2_500))
        let other = try DatabaseQueue(path: temporary.path)
        var batches = 0
        try temporary.store.readAudit { _ in
            batches += 1
            let busy = try other.writeWithoutTransaction { database in
                try Int.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            #expect(busy == 0)
        }
        #expect(batches == 3)
    }

    @Test func `a record that cannot be decoded is reported`() throws {
        let temporary = try Temporary()
        try temporary.store.audit(Self.items(3))
        try AuditTests.tamper(temporary, "UPDATE audit SET record = '{' WHERE sequence = 2")
        let refusal = Office.refusal { try temporary.store.auditEntries() }
        #expect(refusal?.contains("gatepost audit verify") == true)
    }

    @Test func `the migration keeps the records and their hashes`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("gatepost.sqlite").path
        let masterKey = MasterKey()
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "2026-11-30 one version of all names")
        func rows(_ queue: DatabaseQueue) throws -> [Row] {
            try queue.read { database in
                try Row.fetchAll(
                    database,
                    sql: "SELECT sequence, moment, record, hash FROM audit ORDER BY sequence"
                )
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var hash = StoreTransaction.firstHash
        for (number, item) in Self.items(100).enumerated() {
            let text = String(decoding: try encoder.encode(item.record), as: UTF8.self)
            let sequence = Int64(number + 1)
            let moment = item.moment.seconds
            hash = StoreTransaction.hash(
                after: hash,
                node: "",
                sequence: sequence,
                moment: moment,
                text: text
            )
            try queue.write {
                try $0.execute(
                    sql: "INSERT INTO audit (sequence, moment, record, hash) VALUES (?, ?, ?, ?)",
                    arguments: [sequence, moment, text, hash]
                )
            }
        }
        let before = try rows(queue)
        try queue.close()
        let store = try PermissionStore(path: path)
        try store.sealAudit(masterKey, begins: true)
        #expect(try store.verifyAudit(masterKey).problems.isEmpty)
        #expect(try rows(DatabaseQueue(path: path)) == before)
        #expect(try store.auditEntries().map(\.record) == Self.items(100).map(\.record))
    }

    @Test(arguments: [
        (
            "SELECT sequence FROM audit WHERE account = 'x' AND node = 'n' AND sequence > 5 ORDER BY sequence",
            "auditAccount"
        ),
        (
            "SELECT sequence FROM audit WHERE targetAccount = 'x' AND node = 'n' ORDER BY sequence",
            "auditTarget"
        ),
        (
            "SELECT sequence FROM audit WHERE actor = 'x' AND moment + 0 < 7 AND node = 'n' AND sequence > 5 ORDER BY sequence",
            "auditActor"
        ),
        (
            "SELECT sequence FROM audit WHERE detail IS NOT NULL AND replace(detail, 'x', '') <> detail AND node = 'n' ORDER BY sequence",
            "auditDetail"
        ),
        (
            "SELECT sequence FROM audit WHERE moment + 0 > 7 AND node = 'n' AND sequence > 5 ORDER BY sequence",
            "sqlite_autoindex_audit_1"
        ),
    ])
    func `a filter follows its index`(sql: String, index: String) throws {
        let plan = try Self.plan(sql)
        #expect(plan.contains(index), "\(plan)")
        #expect(!plan.contains("ORDER BY"), "\(plan)")
    }

    @Test(arguments: [
        (
            "SELECT sequence FROM audit WHERE actor >= 'x as ' AND actor < 'x as!' AND node || '' = 'n' AND sequence > 5 ORDER BY sequence LIMIT 7",
            "auditActor"
        ),
        (
            "SELECT node || '' AS name, min(sequence + 0) FROM audit WHERE moment >= 7 GROUP BY node || ''",
            "COVERING INDEX auditMoment"
        ),
        (
            "SELECT node || '' AS name, max(sequence + 0) FROM audit WHERE moment < 7 GROUP BY node || ''",
            "COVERING INDEX auditMoment"
        ),
    ])
    func `a search follows its index`(sql: String, index: String) throws {
        let plan = try Self.plan(sql)
        #expect(plan.contains(index), "\(plan)")
    }

    /// How SQLite executes a query.
    private static func plan(_ sql: String) throws -> String {
        let temporary = try Temporary()
        let queue = try DatabaseQueue(path: temporary.path)
        return try queue.read { database in
            try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)")
                .map { $0["detail"] as String }.joined(separator: "\n")
        }
    }
}
