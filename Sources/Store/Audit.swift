package import Access
import Cryptography
import Foundation

/// A record of the audit log with its position.
package struct AuditEntry: Equatable, Sendable {
    /// The record's number. Numbers have no gap; the first record has number 1.
    package var sequence: Int64
    /// When the record was appended, by this machine's clock.
    package var moment: Moment
    /// Who did what, and with what outcome.
    package var record: AuditRecord
}

/// The audit log. Records are appended and never changed. Each record's hash covers the hash of
/// the record before it, so ``PermissionStore/verifyAudit(_:anchor:)`` detects a record that
/// was changed, removed or moved.
extension PermissionStore {
    /// Appends records in one transaction.
    /// - Throws: ``StoreError`` if the store cannot be written, or was replaced meanwhile.
    package func audit(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        try self.write(locking: .auditLog) { try $0.append(records) }
    }
}

/// The audit log's hash chain, inside a transaction.
extension StoreTransaction {
    /// The hash before the first record: 32 zero octets.
    static let firstHash = Data(repeating: 0, count: SHA256.octetCount)

    /// Appends records with consecutive numbers and chained hashes. The record's JSON has
    /// sorted keys, so that its octets, which the hash covers, are the same on every run.
    func append(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try self.connection.lock(.auditLog)
        var (sequence, hash) = try self.auditEnd()
        for (moment, record) in records {
            sequence += 1
            let text = String(decoding: try encoder.encode(record), as: UTF8.self)
            hash = Self.hash(after: hash, sequence: sequence, moment: moment.seconds, text: text)
            try self.execute(
                sql: """
                    INSERT INTO audit (node, sequence, moment, record, hash) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [self.connection.node, sequence, moment.seconds, text, hash]
            )
        }
    }

    /// The number and hash of the last record. After retention deleted all records, those of
    /// the start seal; 0 and ``firstHash`` for a log that never had a record.
    func auditEnd() throws -> (sequence: Int64, hash: Data) {
        let last = try self.row(
            sql: """
                SELECT sequence, hash FROM audit WHERE node = ? ORDER BY sequence DESC LIMIT 1
                """,
            arguments: [self.connection.node]
        )
        if let last { return (last["sequence"], last["hash"]) }
        let start = try AuditSeal.fetch(.start, transaction: self)
        return (start?.sequence ?? 0, start?.hash ?? Self.firstHash)
    }

    /// SHA-256 of the previous hash, and of the record's number, moment and JSON text.
    /// - Parameters:
    ///   - previous: 32 octets.
    ///   - moment: Seconds since 1970.
    static func hash(
        after previous: Data,
        sequence: Int64,
        moment: Int64,
        text: String
    ) -> Data {
        var hasher = SHA256()
        hasher.update(previous)
        hasher.update("\(sequence) \(moment) \(text)".utf8)
        return Data(hasher.digest)
    }

    /// The audit events that count as use of an account.
    static let uses: Set<String> = [
        "select", "examine", "fetch", "copy", "move", "append", "expunge", "create", "delete",
        "rename", "send as", "send on behalf",
    ]
}
