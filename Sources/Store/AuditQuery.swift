import Access
import Foundation

/// The numbers of the records of one node that are read.
struct AuditRange {
    /// The node; empty for the only chain of a file.
    let node: String
    /// The records after this number.
    var first: Int64
    /// The records up to this number.
    var last: Int64
}

/// The SQL that selects records of the audit log.
///
/// The columns `account`, `targetAccount`, `actor` and `detail` are computed from the record, so
/// they cannot differ from what its hash covers. Each branch of the query follows one index in the
/// order of the records of a node, and stops after as many as are needed.
struct AuditQuery {
    /// The moments that match, which need not have the order of the numbers.
    private var moments = RowFilter.all
    /// A condition with an index.
    private struct Branch {
        var filter: RowFilter
        /// The node's column. The empty text keeps SQLite from a search by number.
        var node = "node"
    }

    /// Conditions of which one must hold.
    private var branches: [Branch]
    private let filter: AuditFilter

    /// Creates the query of a filter.
    /// - Parameter address: The primary address of the filter's account.
    init(_ filter: AuditFilter, address: String?) {
        self.filter = filter
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
                Branch(filter: RowFilter("account = ?", arguments: [address])),
                Branch(filter: RowFilter("targetAccount = ?", arguments: [address])),
                // A record without an account, such as one of a change of several.
                Branch(
                    filter: RowFilter(
                        "detail IS NOT NULL AND replace(detail, ?, '') <> detail",
                        arguments: [address]
                    )
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
                Branch(filter: RowFilter("actor = ?", arguments: [actor])),
                Branch(
                    filter: RowFilter(
                        "actor >= ? AND actor < ?",
                        arguments: ["\(actor) as ", "\(actor) as\u{21}"]
                    ),
                    node: "node || ''"
                ),
            ]
        } else {
            self.branches = [Branch(filter: .all)]
        }
    }

    /// The numbers that can match, of each node in whose chain some can.
    /// - Parameters:
    ///   - ends: The number of the last record of each node.
    ///   - after: Only records after this position; nil for all.
    func ranges(
        _ ends: [(node: String, last: Int64)],
        after: AuditPosition?,
        transaction: StoreTransaction
    ) throws -> [AuditRange] {
        var ranges = ends.map {
            AuditRange(node: $0.node, first: after?[$0.node] ?? 0, last: $0.last)
        }
        // A reader that continues has few records before it: the moments need no search.
        if after == nil, let since = self.filter.since {
            let found = try self.numbers(
                "min",
                where: "moment >= ?",
                moment: since,
                transaction: transaction
            )
            for index in ranges.indices {
                let number = found[ExactText(ranges[index].node)]
                ranges[index].first = number.map { $0 - 1 } ?? ranges[index].last
            }
        }
        if after == nil, let until = self.filter.until {
            let found = try self.numbers(
                "max",
                where: "moment < ?",
                moment: until,
                transaction: transaction
            )
            for index in ranges.indices {
                ranges[index].last = found[ExactText(ranges[index].node)] ?? 0
            }
        }
        return ranges.filter { $0.first < $0.last }
    }

    /// The first or last number of each node with a moment.
    private func numbers(
        _ function: String,
        where condition: String,
        moment: Moment,
        transaction: StoreTransaction
    ) throws -> [ExactText: Int64] {
        // The sum and the empty text keep SQLite from a search through all records by their numbers.
        let rows = try transaction.rows(
            sql: """
                SELECT node || '' AS name, \(function)(sequence + 0) AS number FROM audit
                WHERE \(condition) GROUP BY node || ''
                """,
            arguments: [moment.seconds]
        )
        return Dictionary(rows.map { (ExactText($0["name"]), $0["number"]) }) { first, _ in first }
    }

    /// The ranges without what is older than the newest matching records of each node.
    /// - Parameter limit: How many newest records of each node remain.
    /// - Returns: The ranges, and the number of matching records in them.
    func newest(
        _ limit: Int,
        of ranges: [AuditRange],
        transaction: StoreTransaction
    ) throws -> ([AuditRange], count: Int) {
        var (newest, count): ([AuditRange], Int) = ([], 0)
        for var range in ranges {
            let (sql, arguments) = self.numbers(range, limit: limit, order: "DESC")
            let row = try transaction.row(
                sql: """
                    SELECT min(sequence) AS oldest, count(*) AS number FROM
                    (SELECT sequence FROM (\(sql)) AS found ORDER BY sequence DESC LIMIT ?) AS newest
                    """,
                arguments: arguments + [limit]
            )
            guard let row, let oldest: Int64 = row["oldest"] else { continue }
            range.first = max(range.first, oldest - 1)
            newest.append(range)
            count += row["number"]
        }
        return (newest, count)
    }

    /// The next records of a node.
    func entries(
        _ range: AuditRange,
        limit: Int,
        transaction: StoreTransaction
    ) throws -> [AuditEntry] {
        let (sql, arguments) = self.numbers(range, limit: limit, order: "ASC")
        let decoder = JSONDecoder()
        return try transaction.rows(
            sql: """
                SELECT sequence, moment, record FROM audit WHERE node = ? AND sequence IN (\(sql))
                ORDER BY sequence LIMIT ?
                """,
            arguments: [range.node] + arguments + [limit]
        ).map { row in
            let text: String = row["record"]
            guard let record = try? decoder.decode(AuditRecord.self, from: Data(text.utf8)) else {
                throw StoreError.unusable("the audit log is damaged: gatepost audit verify")
            }
            return AuditEntry(
                node: range.node,
                sequence: row["sequence"],
                moment: Moment(seconds: row["moment"]),
                record: record
            )
        }
    }

    /// The SQL for the numbers of matching records. Each branch ends after `limit` of them.
    private func numbers(
        _ range: AuditRange,
        limit: Int,
        order: String
    ) -> (sql: String, arguments: StoreArguments) {
        var arguments: StoreArguments = []
        let parts = self.branches.enumerated().map { index, branch in
            let condition = branch.filter.and(self.moments)
                .and(
                    "\(branch.node) = ? AND sequence > ? AND sequence <= ?",
                    arguments: [range.node, range.first, range.last]
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
