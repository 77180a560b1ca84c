package import Access
import Foundation

/// Which records of the audit log to read.
package struct AuditFilter: Sendable {
    /// An address; an alias finds the records of its account. Nil for every account.
    package var account: String?
    /// The actor's login or operating-system name; nil for everybody.
    package var user: String?
    /// The earliest moment; nil for the start of the log.
    package var since: Moment?
    /// The moment before which records are read; nil for the end of the log.
    package var until: Moment?

    /// Creates a filter; without arguments it matches every record.
    package init(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil,
        until: Moment? = nil
    ) {
        self.account = account
        self.user = user
        self.since = since
        self.until = until
    }
}

/// Reading of the audit log.
extension PermissionStore {
    /// Records that one transaction reads. A reader that waits for its output between two
    /// batches holds no transaction, which would keep the write-ahead log from being emptied.
    private static let batch = 1_000

    /// Reads the records that match a filter, oldest first. Memory is limited to one batch.
    /// - Parameters:
    ///   - limit: Only the newest records, this many; nil for all.
    ///   - after: Only records with a higher number; nil for all.
    ///   - body: Called with each batch, outside of a transaction.
    /// - Returns: The number of the last record of the log that was looked at, for the next call
    ///   with `after`.
    /// - Throws: ``StoreError`` for a text that cannot be an address, and of kind `unusable`
    ///   for a record that cannot be decoded; errors of the body are rethrown.
    @discardableResult
    package func readAudit(
        _ filter: AuditFilter = AuditFilter(),
        limit: Int? = nil,
        after: Int64? = nil,
        body: ([AuditEntry]) throws -> Void
    ) throws -> Int64 {
        var (query, last) = try self.read { transaction in
            // A removed account has no row; its records are found by the address as given.
            let address = try filter.account.map {
                try transaction.primary(named: $0) ?? PermissionStore.address($0).description
            }
            let last = try transaction.auditEnd().sequence
            var query = AuditQuery(
                filter,
                address: address,
                last: last,
                node: transaction.connection.node
            )
            try query.narrow(transaction, limit: limit, after: after)
            return (query, last)
        }
        while true {
            let entries = try self.read { try query.entries($0, limit: Self.batch) }
            guard let end = entries.last?.sequence else { break }
            try body(entries)
            query.first = end
        }
        last = max(last, after ?? 0)
        return last
    }

    /// The records that match all of the given filters, oldest first, in memory.
    /// - Throws: ``StoreError`` as ``readAudit(_:limit:after:body:)``.
    package func auditEntries(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil
    ) throws -> [AuditEntry] {
        var entries: [AuditEntry] = []
        let filter = AuditFilter(account: account, user: user, since: since)
        try self.readAudit(filter) { entries += $0 }
        return entries
    }

    /// When each user last used each account: account address, then the actor's login.
    ///
    /// Only the events in ``StoreTransaction/uses`` count. Commands that mail programs send
    /// unattended, such as STATUS of every folder, do not count as use.
    /// - Throws: ``StoreError`` as ``readAudit(_:limit:after:body:)``.
    package func lastUses() throws -> [String: [String: Moment]] {
        var uses: [String: [String: Moment]] = [:]
        try self.readAudit { entries in
            for entry in entries where entry.record.outcome == .allowed {
                guard StoreTransaction.uses.contains(entry.record.event) else { continue }
                for account in [entry.record.account, entry.record.targetAccount] {
                    guard let account else { continue }
                    uses[account, default: [:]][entry.record.actor] = entry.moment
                }
            }
        }
        return uses
    }
}

/// The SQL that selects records of the audit log.
///
/// The columns `account`, `targetAccount`, `actor` and `detail` are computed from the record, so
/// they cannot differ from what its hash covers. Each branch of the query follows one index in the
/// order of the records, and stops after as many as are needed.
private struct AuditQuery {
    /// The records after this number.
    var first: Int64 = 0
    /// The records up to this number.
    private var last: Int64
    /// The moments that match, which need not have the order of the numbers.
    private var moments = RowFilter.all
    /// Conditions of which one must hold, each with an index.
    private var branches: [RowFilter]
    private let filter: AuditFilter
    /// The node whose log is read.
    private let node: String

    init(_ filter: AuditFilter, address: String?, last: Int64, node: String) {
        self.filter = filter
        self.node = node
        self.last = last
        // The sums keep SQLite from an index with another order.
        if let since = filter.since {
            self.moments = self.moments.and("moment + 0 >= ?", arguments: [since.seconds])
        }
        if let until = filter.until {
            self.moments = self.moments.and("moment + 0 < ?", arguments: [until.seconds])
        }
        let actor = filter.user.map { (try? PermissionStore.address($0).description) ?? $0 }
        // With sudo the record has "ORIGINAL as USER": the original name finds it. The last
        // octet of the upper bound is the one after the space.
        let names: StoreArguments = actor.map { [$0, "\($0) as ", "\($0) as\u{21}"] } ?? []
        if let address {
            self.branches = [
                RowFilter("account = ?", arguments: [address]),
                RowFilter("targetAccount = ?", arguments: [address]),
                // A record without an account, such as one of a change of several.
                RowFilter(
                    "detail IS NOT NULL AND replace(detail, ?, '') <> detail",
                    arguments: [address]
                ),
            ]
            if actor != nil {
                self.moments = self.moments.and(
                    "(actor || '' = ? OR (actor || '' >= ? AND actor || '' < ?))",
                    arguments: names
                )
            }
        } else if let actor {
            self.branches = [
                RowFilter("actor = ?", arguments: [actor]),
                RowFilter(
                    "actor >= ? AND actor < ?",
                    arguments: ["\(actor) as ", "\(actor) as\u{21}"]
                ),
            ]
        } else {
            self.branches = [.all]
        }
    }

    /// Finds the first and the last number that can match.
    mutating func narrow(
        _ transaction: StoreTransaction,
        limit: Int?,
        after: Int64?
    ) throws {
        self.first = after ?? 0
        // The sums keep SQLite from a search through the records themselves.
        if let since = self.filter.since {
            let found = try transaction.value(
                of: Int64.self,
                sql: "SELECT min(sequence + 0) FROM audit WHERE moment >= ? AND node = ?",
                arguments: [since.seconds, self.node]
            )
            self.first = max(self.first, (found ?? self.last + 1) - 1)
        }
        if let until = self.filter.until {
            let found = try transaction.value(
                of: Int64.self,
                sql: "SELECT max(sequence + 0) FROM audit WHERE moment < ? AND node = ?",
                arguments: [until.seconds, self.node]
            )
            self.last = min(self.last, found ?? 0)
        }
        guard let limit else { return }
        let (sql, arguments) = self.numbers(limit: limit, order: "DESC")
        let found = try transaction.value(
            of: Int64.self,
            sql: """
                SELECT min(sequence) FROM
                (SELECT sequence FROM (\(sql)) AS found ORDER BY sequence DESC LIMIT ?) AS newest
                """,
            arguments: arguments + [limit]
        )
        self.first = max(self.first, (found ?? self.last + 1) - 1)
    }

    /// The next records.
    func entries(_ transaction: StoreTransaction, limit: Int) throws -> [AuditEntry] {
        let (sql, arguments) = self.numbers(limit: limit, order: "ASC")
        let decoder = JSONDecoder()
        return try transaction.rows(
            sql: """
                SELECT sequence, moment, record FROM audit WHERE node = ? AND sequence IN (\(sql))
                ORDER BY sequence LIMIT ?
                """,
            arguments: [self.node] + arguments + [limit]
        ).map { row in
            let text: String = row["record"]
            guard let record = try? decoder.decode(AuditRecord.self, from: Data(text.utf8)) else {
                throw StoreError.unusable("the audit log is damaged: gatepost audit verify")
            }
            return AuditEntry(
                sequence: row["sequence"],
                moment: Moment(seconds: row["moment"]),
                record: record
            )
        }
    }

    /// The SQL for the numbers of matching records. Each branch ends after `limit` of them.
    private func numbers(limit: Int, order: String) -> (sql: String, arguments: StoreArguments) {
        var arguments: StoreArguments = []
        let parts = self.branches.enumerated().map { index, branch in
            let condition = branch.and(self.moments)
                .and(
                    "node = ? AND sequence > ? AND sequence <= ?",
                    arguments: [self.node, self.first, self.last]
                )
            arguments += condition.arguments + [limit]
            return """
                SELECT sequence FROM (SELECT sequence FROM audit \(condition.clause)
                ORDER BY sequence \(order) LIMIT ?) AS branch\(index)
                """
        }
        return (parts.joined(separator: " UNION "), arguments)
    }
}
