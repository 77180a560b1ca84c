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
        try SQLiteEngine.explaining {
            try self.write { try $0.append(records) }
        }
    }

    // MARK: - Reading

    /// The records that match all of the given filters, oldest first.
    /// - Parameters:
    ///   - account: An address; an alias finds the records of its account. Nil for every
    ///     account.
    ///   - user: The actor's login or operating-system name; nil for everybody.
    ///   - since: The earliest moment; nil for the whole log.
    /// - Throws: ``StoreError`` for a text that cannot be an address, and of kind `unusable`
    ///   for a record that cannot be decoded.
    package func auditEntries(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil
    ) throws -> [AuditEntry] {
        let actor = user.map { (try? PermissionStore.address($0).description) ?? $0 }
        func isBy(_ actor: String?, record: AuditRecord) -> Bool {
            guard let actor else { return true }
            // With sudo the record has "ORIGINAL as USER": the original name finds it.
            return record.actor == actor || record.actor.hasPrefix("\(actor) as ")
        }
        return try self.read { transaction in
            // A removed account has no row; its records are found by the address as given.
            let address = try account.map {
                try transaction.primary(named: $0) ?? PermissionStore.address($0).description
            }
            let rows = try transaction.cursor(
                sql: "SELECT * FROM audit WHERE moment >= ? ORDER BY sequence",
                arguments: [since?.seconds ?? 0]
            )
            var entries: [AuditEntry] = []
            let decoder = JSONDecoder()
            while let row = try rows.next() {
                let text: String = row["record"]
                guard let record = try? decoder.decode(AuditRecord.self, from: Data(text.utf8))
                else {
                    throw StoreError.unusable("the audit log is damaged: gatepost audit verify")
                }
                guard StoreTransaction.isAbout(address, record: record), isBy(actor, record: record)
                else {
                    continue
                }
                entries.append(
                    AuditEntry(
                        sequence: row["sequence"],
                        moment: Moment(seconds: row["moment"]),
                        record: record
                    )
                )
            }
            return entries
        }
    }

    /// When each user last used each account: account address, then the actor's login.
    ///
    /// Only the events in ``StoreTransaction/uses`` count. Commands that mail programs send
    /// unattended, such as STATUS of every folder, do not count as use.
    /// - Throws: ``StoreError`` as ``auditEntries(account:user:since:)``.
    package func lastUses() throws -> [String: [String: Moment]] {
        var uses: [String: [String: Moment]] = [:]
        for entry in try self.auditEntries() where entry.record.outcome == .allowed {
            guard StoreTransaction.uses.contains(entry.record.event) else { continue }
            for account in [entry.record.account, entry.record.targetAccount] {
                guard let account else { continue }
                uses[account, default: [:]][entry.record.actor] = entry.moment
            }
        }
        return uses
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
        var (sequence, hash) = try self.auditEnd()
        let insert = try self.statement(
            sql: "INSERT INTO audit (sequence, moment, record, hash) VALUES (?, ?, ?, ?)"
        )
        for (moment, record) in records {
            sequence += 1
            let text = String(decoding: try encoder.encode(record), as: UTF8.self)
            hash = Self.hash(after: hash, sequence: sequence, moment: moment.seconds, text: text)
            try insert.execute(arguments: [sequence, moment.seconds, text, hash])
        }
    }

    /// The number and hash of the last record. After retention deleted all records, those of
    /// the start seal; 0 and ``firstHash`` for a log that never had a record.
    func auditEnd() throws -> (sequence: Int64, hash: Data) {
        let last = try self.row(
            sql: "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
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

    /// Whether a record is about an account. A record without an account, such as one of a
    /// change of several, matches if one of its details contains the address.
    /// - Parameter address: The primary address; nil matches every record.
    static func isAbout(_ address: String?, record: AuditRecord) -> Bool {
        guard let address else { return true }
        if record.account == address || record.targetAccount == address { return true }
        return record.account == nil
            && record.detail?.contains { $0.contains(address) } ?? false
    }

    /// The audit events that count as use of an account.
    static let uses: Set<String> = [
        "select", "examine", "fetch", "copy", "move", "append", "expunge", "create", "delete",
        "rename", "send as", "send on behalf",
    ]
}
