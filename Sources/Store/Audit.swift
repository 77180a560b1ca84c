package import Access
import Cryptography
import Foundation

/// A record of the audit log with its place there.
package struct AuditEntry: Equatable, Sendable {
    /// Counts the records, without a gap.
    package var sequence: Int64
    package var moment: Moment
    package var record: AuditRecord
}

/// The audit log. Records are appended and never changed; each has a hash over the one before it,
/// so that what was changed, taken out or put elsewhere shows (``PermissionStore/verifyAudit(_:)``).
extension PermissionStore {
    /// Appends records in one transaction.
    package func audit(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        try SQLiteEngine.explaining {
            try self.write { try $0.append(records) }
        }
    }

    // MARK: - Reading

    /// - Parameters:
    ///   - account: an address; nil for every account.
    ///   - user: who acted; nil for everybody.
    package func auditEntries(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil
    ) throws -> [AuditEntry] {
        let actor = user.map { (try? PermissionStore.address($0).description) ?? $0 }
        func isBy(_ actor: String?, record: AuditRecord) -> Bool {
            guard let actor else { return true }
            // Who became another user by sudo is found by the own name.
            return record.actor == actor || record.actor.hasPrefix("\(actor) as ")
        }
        return try self.read { transaction in
            // The name of an account that is gone is taken as it is.
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

    /// When each account was used last by whom: its address, then the login.
    ///
    /// What programs do by themselves, as STATUS of every folder, is no use.
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

/// The same within a transaction.
extension StoreTransaction {
    /// The hash before the first record.
    static let firstHash = Data(repeating: 0, count: SHA256.octetCount)

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
            hash = Self.hash(after: hash, sequence, moment: moment.seconds, text: text)
            try insert.execute(arguments: [sequence, moment.seconds, text, hash])
        }
    }

    /// The last record's number and hash.
    func auditEnd() throws -> (sequence: Int64, hash: Data) {
        let last = try self.row(
            sql: "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        )
        if let last { return (last["sequence"], last["hash"]) }
        let start = try AuditSeal.fetch(.start, transaction: self)
        return (start?.sequence ?? 0, start?.hash ?? Self.firstHash)
    }

    /// SHA-256 of the hash before, and of all that the record holds.
    static func hash(
        after previous: Data,
        _ sequence: Int64,
        moment: Int64,
        text: String
    ) -> Data {
        var hasher = SHA256()
        hasher.update(previous)
        hasher.update("\(sequence) \(moment) \(text)".utf8)
        return Data(hasher.digest)
    }

    /// Whether a record is about an account; of a change of several, whether it names it.
    static func isAbout(_ address: String?, record: AuditRecord) -> Bool {
        guard let address else { return true }
        if record.account == address || record.targetAccount == address { return true }
        return record.account == nil
            && record.detail?.contains { $0.contains(address) } ?? false
    }

    static let uses: Set<String> = [
        "select", "examine", "fetch", "copy", "move", "append", "expunge", "create", "delete",
        "rename", "send as", "send on behalf",
    ]
}
