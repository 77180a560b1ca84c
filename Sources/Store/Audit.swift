package import Access
import Cryptography
import Foundation

/// A record of the audit log with its position.
package struct AuditEntry: Equatable, Sendable {
    /// The node in whose chain the record is; empty for the only chain of a file.
    package var node: String
    /// The record's number in the chain. Numbers have no gap; the first record has number 1.
    package var sequence: Int64
    /// When the record was appended, by the node's clock.
    package var moment: Moment
    /// Who did what, and with what outcome.
    package var record: AuditRecord
}

/// The audit log: a hash chain for each node that shares the store. Records are appended and never
/// changed. Each record's hash covers the hash of the record before it and the name of the node, so
/// ``PermissionStore/verifyAudit(_:anchors:progress:)`` detects a record that was changed, removed
/// or moved.
extension PermissionStore {
    /// Appends records to the chain of this node, in one transaction.
    /// - Throws: ``StoreError`` if the store cannot be written, or was replaced meanwhile.
    package func audit(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        try self.write(locking: .auditLog) { try $0.append(records) }
    }
}

/// The audit log's hash chain, inside a transaction.
extension StoreTransaction {
    /// The hash before the first record: 32 zero octets.
    static let firstHash = Data(repeating: 0, count: SHA256.octetCount)

    /// Appends records to the chain of this node, with consecutive numbers and chained hashes. The
    /// record's JSON has sorted keys, so that its octets, which the hash covers, are the same on
    /// every run.
    func append(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try self.connection.lock(.auditLog)
        let node = self.connection.node
        var (sequence, hash) = try self.auditEnd()
        for (moment, record) in records {
            sequence += 1
            let text = String(decoding: try encoder.encode(record), as: UTF8.self)
            hash = Self.hash(
                after: hash,
                node: node,
                sequence: sequence,
                moment: moment.seconds,
                text: text
            )
            try self.execute(
                sql: """
                    INSERT INTO audit (node, sequence, moment, record, hash) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [node, sequence, moment.seconds, text, hash]
            )
        }
    }

    /// Lines of the largest record. A document may change a million entries, and one record of all
    /// lines would be too large to be shown.
    private static let maximumLines = 1_000

    /// Appends the record of an edit, in several parts if it has many lines.
    func append(_ record: AuditRecord, what: String, details: [String]) throws {
        let starts = Array(stride(from: 0, to: max(details.count, 1), by: Self.maximumLines))
        try self.append(
            starts.enumerated().map { index, start in
                var part = record
                let lines = details[start..<min(start + Self.maximumLines, details.count)]
                let place = starts.count > 1 ? " (part \(index + 1) of \(starts.count))" : ""
                part.detail = ["\(what)\(place)"] + lines
                return (.current, part)
            }
        )
    }

    /// The number and hash of a chain's last record. After retention deleted all records, those of
    /// the start seal; 0 and ``firstHash`` for a chain that never had a record.
    /// - Parameter node: Nil for this node.
    func auditEnd(of node: String? = nil) throws -> (sequence: Int64, hash: Data) {
        let node = node ?? self.connection.node
        let last = try self.row(
            sql: """
                SELECT sequence, hash FROM audit WHERE node = ? ORDER BY sequence DESC LIMIT 1
                """,
            arguments: [node]
        )
        if let last { return (last["sequence"], last["hash"]) }
        let start = try AuditSeal.fetch(.start, node: node, transaction: self)
        return (start?.sequence ?? 0, start?.hash ?? Self.firstHash)
    }

    /// SHA-256 of the previous hash, and of the node's name and the record's number, moment and JSON
    /// text.
    /// - Parameters:
    ///   - previous: 32 octets.
    ///   - node: Empty for the only chain of a file.
    ///   - moment: Seconds since 1970.
    static func hash(
        after previous: Data,
        node: String,
        sequence: Int64,
        moment: Int64,
        text: String
    ) -> Data {
        var hasher = SHA256()
        hasher.update(previous)
        hasher.update("\(self.prefix(of: node))\(sequence) \(moment) \(text)".utf8)
        return Data(hasher.digest)
    }

    /// The first octets of what a hash or a seal of a node's chain covers, so that neither is valid
    /// for another node. Empty for the only chain of a file: what follows never begins with `node`.
    static func prefix(of node: String) -> String {
        // The length shows where the name ends: it may have spaces and digits.
        node.isEmpty ? "" : "node \(node.utf8.count) \(node) "
    }

    /// The nodes that have records or seals, in the order of their names' octets.
    func auditNodes() throws -> [String] {
        try self.values(
            of: String.self,
            sql: """
                \(Self.chains)
                SELECT name FROM chain WHERE name IS NOT NULL
                UNION SELECT node FROM auditSeal ORDER BY 1
                """
        )
    }

    /// The number of the last record of each node that has records, in the order of their names'
    /// octets.
    func auditEnds() throws -> [(node: String, last: Int64)] {
        try self.rows(
            sql: """
                \(Self.chains)
                SELECT name, (SELECT max(sequence) FROM audit WHERE node = name) AS last
                FROM chain WHERE name IS NOT NULL ORDER BY name
                """
        ).map { ($0["name"], $0["last"]) }
    }

    /// The nodes that have records, without a look at each record: one search of the primary key
    /// for each node.
    private static let chains = """
        WITH RECURSIVE chain (name) AS (
            SELECT min(node) FROM audit
            UNION ALL
            SELECT (SELECT min(node) FROM audit WHERE node > name) FROM chain
            WHERE name IS NOT NULL
        )
        """

    /// The audit events that count as use of an account.
    static let uses: Set<String> = [
        "select", "examine", "fetch", "copy", "move", "append", "expunge", "create", "delete",
        "rename", "send as", "send on behalf",
    ]
}
