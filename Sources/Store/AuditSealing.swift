package import Access
import Foundation

/// Sealing of the audit log, and deletion of old records.
extension PermissionStore {
    /// Seals the log up to its last record. From then on, a log whose last records were cut off
    /// is detected.
    /// - Parameter begins: Whether to seal without a check, for a log that has no seal yet.
    ///   Otherwise every record since the last seal must follow from it.
    /// - Returns: The seal; nil if the last seal already covers the last record.
    /// - Throws: ``StoreError`` of kind `unusable` if the log does not follow from the last
    ///   seal: a new seal would make a changed log look genuine.
    @discardableResult
    package func sealAudit(_ masterKey: MasterKey, begins: Bool = false) throws -> AuditSeal? {
        try self.write(locking: .auditLog) { transaction in
            let (sequence, hash) = try transaction.auditEnd()
            if !begins {
                let last = try transaction.requireSealed(masterKey)
                guard last.sequence != sequence else { return nil }
            }
            let seal = AuditSeal(.checkpoint, sequence: sequence, hash: hash, at: .current)
            try seal.write(masterKey, transaction: transaction)
            return seal
        }
    }

    /// Deletes old records, writes a start seal in their place, and appends a record of the
    /// deletion. All of it is one transaction.
    /// - Parameter moment: Records older than the first one at or after this moment are
    ///   deleted.
    /// - Returns: The number of deleted records.
    /// - Throws: ``StoreError`` of kind `unusable` if the log does not follow from the last
    ///   seal.
    package func deleteAudit(before moment: Moment, masterKey: MasterKey) throws -> Int {
        try self.write(locking: .auditLog) { transaction in
            let node = transaction.connection.node
            // A record after the first one to keep is never deleted: a clock that ran wrong may
            // have given it an older moment.
            let row = try transaction.row(
                sql: """
                    SELECT sequence, hash FROM audit WHERE node = ? AND sequence < coalesce(
                        (SELECT min(sequence) FROM audit WHERE node = ? AND moment >= ?),
                        (SELECT max(sequence) + 1 FROM audit WHERE node = ?)
                    ) ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [node, node, moment.seconds, node]
            )
            guard let row else { return 0 }
            try transaction.requireSealed(masterKey)
            let seal = AuditSeal(.start, sequence: row["sequence"], hash: row["hash"], at: .current)
            try seal.write(masterKey, transaction: transaction)
            try transaction.execute(
                sql: "DELETE FROM audit WHERE node = ? AND sequence <= ?",
                arguments: [node, seal.sequence]
            )
            let count = transaction.changedRows
            var record = AuditRecord(event: "retention", actor: "gatepost")
            record.count = count
            record.detail = ["records up to \(seal.sequence) were deleted"]
            try transaction.append([(.current, record)])
            return count
        }
    }
}

/// The check that precedes each new seal.
extension StoreTransaction {
    /// - Returns: The last checkpoint seal, after every record since then was found to follow
    ///   from it.
    /// - Throws: ``StoreError`` of kind `unusable` if a seal is missing or not authentic, or a
    ///   record was changed or removed.
    @discardableResult
    func requireSealed(_ masterKey: MasterKey) throws -> AuditSeal {
        let changed = StoreError.unusable(
            "the audit log was changed and is not sealed any more: gatepost audit verify"
        )
        guard let last = try AuditSeal.fetch(.checkpoint, transaction: self),
            last.isAuthentic(masterKey)
        else { throw changed }
        let start = try AuditSeal.fetch(.start, transaction: self)
        guard start?.isAuthentic(masterKey) ?? true else { throw changed }
        var (sequence, hash) = (last.sequence, last.hash)
        if let start, start.sequence > sequence {
            // Retention verified the log up to its start seal, which is past the last
            // checkpoint.
            (sequence, hash) = (start.sequence, start.hash)
        } else if sequence > start?.sequence ?? 0 {
            let stored = try self.value(
                of: Data.self,
                sql: "SELECT hash FROM audit WHERE node = ? AND sequence = ?",
                arguments: [self.connection.node, sequence]
            )
            guard stored == hash else { throw changed }
        }
        let rows = try self.cursor(
            sql: """
                SELECT sequence, moment, record, hash FROM audit WHERE node = ? AND sequence > ?
                ORDER BY sequence
                """,
            arguments: [self.connection.node, sequence]
        )
        while let row = try rows.next() {
            let next = Self.hash(
                after: hash,
                sequence: row["sequence"],
                moment: row["moment"],
                text: row["record"]
            )
            guard row["sequence"] == sequence + 1, row["hash"] == next else { throw changed }
            (sequence, hash) = (sequence + 1, next)
        }
        return last
    }
}
