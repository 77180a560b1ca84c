package import Access
import Foundation
import GRDB

/// Sealing of the audit log, and deletion of old entries.
extension PermissionStore {
    /// Seals the log up to its last record: from now on an end that is cut off shows.
    ///
    /// - Parameter begins: whether no seal is there yet. Else nothing is sealed that does not follow,
    ///   record by record, from what the last seal has.
    /// - Returns: the seal; nil where the last one is of the same end.
    @discardableResult
    package func sealAudit(_ masterKey: MasterKey, begins: Bool = false) throws -> AuditSeal? {
        try self.write { database in
            let (sequence, hash) = try Self.auditEnd(database)
            if !begins {
                let last = try Self.requireSealed(masterKey, database: database)
                guard last.sequence != sequence else { return nil }
            }
            let seal = AuditSeal(.checkpoint, sequence: sequence, hash: hash, at: .current)
            try seal.write(masterKey, database: database)
            return seal
        }
    }

    /// The last seal, where all that came since follows from it.
    /// - Throws: where the log was changed: who seals it then would make that look genuine.
    @discardableResult
    private static func requireSealed(
        _ masterKey: MasterKey,
        database: Database
    ) throws -> AuditSeal {
        let changed = StoreError.unusable(
            "the audit log was changed and is not sealed any more: gatepost audit verify"
        )
        guard let last = try AuditSeal.fetch(.checkpoint, database: database),
            last.isAuthentic(masterKey)
        else { throw changed }
        let start = try AuditSeal.fetch(.start, database: database)
        guard start?.isAuthentic(masterKey) ?? true else { throw changed }
        var (sequence, hash) = (last.sequence, last.hash)
        if let start, start.sequence > sequence {
            // Retention, which had followed the log so far, has gone beyond the last seal.
            (sequence, hash) = (start.sequence, start.hash)
        } else if sequence > start?.sequence ?? 0 {
            let stored = try Data.fetchOne(
                database,
                sql: "SELECT hash FROM audit WHERE sequence = ?",
                arguments: [sequence]
            )
            guard stored == hash else { throw changed }
        }
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence",
            arguments: [sequence]
        )
        while let row = try rows.next() {
            let next = self.hash(
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

    /// Deletes the records up to the last one before a moment, and leaves a seal in their place.
    /// - Returns: how many were deleted.
    package func deleteAudit(before moment: Moment, _ masterKey: MasterKey) throws -> Int {
        try self.write { database in
            // Behind the first younger one nothing is deleted, should a clock have gone wrong.
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT sequence, hash FROM audit WHERE sequence < coalesce(
                        (SELECT min(sequence) FROM audit WHERE moment >= ?),
                        (SELECT max(sequence) + 1 FROM audit)
                    ) ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [moment.seconds]
            )
            guard let row else { return 0 }
            try Self.requireSealed(masterKey, database: database)
            let seal = AuditSeal(.start, sequence: row["sequence"], hash: row["hash"], at: .current)
            try seal.write(masterKey, database: database)
            try database.execute(
                sql: "DELETE FROM audit WHERE sequence <= ?",
                arguments: [seal.sequence]
            )
            let count = database.changesCount
            var record = AuditRecord(event: "retention", actor: "gatepost")
            record.count = count
            record.detail = ["records up to \(seal.sequence) were deleted"]
            try Self.append([(.current, record)], database: database)
            return count
        }
    }
}
