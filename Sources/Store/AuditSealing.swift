package import Access
import Foundation

/// Sealing of the audit log, and deletion of old entries.
extension PermissionStore {
    /// Seals the log up to its last record: from now on an end that is cut off shows.
    ///
    /// - Parameter begins: whether no seal is there yet. Else nothing is sealed that does not follow,
    ///   record by record, from what the last seal has.
    /// - Returns: the seal; nil where the last one is of the same end.
    @discardableResult
    package func sealAudit(_ masterKey: MasterKey, begins: Bool = false) throws -> AuditSeal? {
        try self.write { transaction in
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

    /// Deletes the records up to the last one before a moment, and leaves a seal in their place.
    /// - Returns: how many were deleted.
    package func deleteAudit(before moment: Moment, _ masterKey: MasterKey) throws -> Int {
        try self.write { transaction in
            // Behind the first younger one nothing is deleted, should a clock have gone wrong.
            let row = try transaction.row(
                sql: """
                    SELECT sequence, hash FROM audit WHERE sequence < coalesce(
                        (SELECT min(sequence) FROM audit WHERE moment >= ?),
                        (SELECT max(sequence) + 1 FROM audit)
                    ) ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [moment.seconds]
            )
            guard let row else { return 0 }
            try transaction.requireSealed(masterKey)
            let seal = AuditSeal(.start, sequence: row["sequence"], hash: row["hash"], at: .current)
            try seal.write(masterKey, transaction: transaction)
            try transaction.execute(
                sql: "DELETE FROM audit WHERE sequence <= ?",
                arguments: [seal.sequence]
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

/// The same within a transaction.
extension StoreTransaction {
    /// The last seal, where all that came since follows from it.
    /// - Throws: where the log was changed: who seals it then would make that look genuine.
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
            // Retention, which had followed the log so far, has gone beyond the last seal.
            (sequence, hash) = (start.sequence, start.hash)
        } else if sequence > start?.sequence ?? 0 {
            let stored = try self.value(
                of: Data.self,
                sql: "SELECT hash FROM audit WHERE sequence = ?",
                arguments: [sequence]
            )
            guard stored == hash else { throw changed }
        }
        let rows = try self.cursor(
            sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence",
            arguments: [sequence]
        )
        while let row = try rows.next() {
            let next = Self.hash(
                after: hash,
                row["sequence"],
                moment: row["moment"],
                text: row["record"]
            )
            guard row["sequence"] == sequence + 1, row["hash"] == next else { throw changed }
            (sequence, hash) = (sequence + 1, next)
        }
        return last
    }
}
