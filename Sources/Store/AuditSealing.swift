package import Access
import Foundation

/// Sealing of the audit log, and deletion of old records.
extension PermissionStore {
    /// Seals a node's chain up to its last record. From then on, a chain whose last records were cut
    /// off is detected.
    /// - Parameters:
    ///   - node: The node; nil for this one, which alone appends to its chain.
    ///   - begins: Whether to seal without a check, for a chain that has no seal yet. Otherwise every
    ///     record since the last seal must follow from it.
    /// - Returns: The seal; nil if the last seal already covers the last record.
    /// - Throws: ``StoreError`` of kind `unusable` if the chain does not follow from the last
    ///   seal: a new seal would make a changed log look genuine. ``StoreError`` of kind `refused`
    ///   for another node without a chain.
    @discardableResult
    package func sealAudit(
        _ masterKey: MasterKey,
        node: String? = nil,
        begins: Bool = false
    ) throws -> AuditSeal? {
        try self.write(locking: .auditLog(of: node)) { transaction in
            try transaction.requireChain(of: node)
            let (sequence, hash) = try transaction.auditEnd(of: node)
            if !begins {
                let last = try transaction.requireSealed(masterKey, node: node)
                guard last.sequence != sequence else { return nil }
            }
            let seal = AuditSeal(
                .checkpoint,
                node: node ?? transaction.connection.node,
                sequence: sequence,
                hash: hash,
                at: .current
            )
            try seal.write(masterKey, transaction: transaction)
            return seal
        }
    }

    /// The last seal of this node's chain, not yet authenticated; nil if there is none.
    package func ownSeal() throws -> AuditSeal? {
        try self.read { try AuditSeal.fetch(.checkpoint, transaction: $0) }
    }

    /// Begins the chain of a node that joins: a first record, and a seal.
    ///
    /// A chain with records but without a seal may have been changed, so it is left as it is. So is
    /// the only chain of a file, which has its first seal from the installation.
    /// - Returns: The seal; nil if the node has a chain.
    @discardableResult
    package func beginAudit(_ masterKey: MasterKey) throws -> AuditSeal? {
        guard try self.read({ try $0.canBeginAudit() }) else { return nil }
        return try self.write(locking: .auditLog) { transaction in
            guard try transaction.canBeginAudit() else { return nil }
            let node = transaction.connection.node
            var record = AuditRecord(event: "audit begin", actor: "gatepost")
            record.detail = ["node \(node) begins its audit log"]
            try transaction.append([(.current, record)])
            let (sequence, hash) = try transaction.auditEnd()
            let seal = AuditSeal(
                .checkpoint,
                node: node,
                sequence: sequence,
                hash: hash,
                at: .current
            )
            try seal.write(masterKey, transaction: transaction)
            return seal
        }
    }

    /// Deletes old records of a node, writes a start seal in their place, and appends a record of
    /// the deletion to the chain of this node. All of it is one transaction.
    /// - Parameters:
    ///   - moment: Records older than the first one at or after this moment are deleted.
    ///   - node: The node; nil for this one.
    ///   - actor: Who deletes them.
    /// - Returns: The number of deleted records.
    /// - Throws: ``StoreError`` of kind `unusable` if the chain does not follow from the last
    ///   seal; of kind `refused` for another node without a chain.
    package func deleteAudit(
        before moment: Moment,
        masterKey: MasterKey,
        node: String? = nil,
        actor: String = "gatepost"
    ) throws -> Int {
        try self.write(locking: .auditLog(of: node)) { transaction in
            try transaction.requireChain(of: node)
            let name = node ?? transaction.connection.node
            // A record after the first one to keep is never deleted: a clock that ran wrong may
            // have given it an older moment.
            let row = try transaction.row(
                sql: """
                    SELECT sequence, hash FROM audit WHERE node = ? AND sequence < coalesce(
                        (SELECT min(sequence) FROM audit WHERE node = ? AND moment >= ?),
                        (SELECT max(sequence) + 1 FROM audit WHERE node = ?)
                    ) ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [name, name, moment.seconds, name]
            )
            guard let row else { return 0 }
            try transaction.requireSealed(masterKey, node: node)
            let seal = AuditSeal(
                .start,
                node: name,
                sequence: row["sequence"],
                hash: row["hash"],
                at: .current
            )
            try seal.write(masterKey, transaction: transaction)
            try transaction.execute(
                sql: "DELETE FROM audit WHERE node = ? AND sequence <= ?",
                arguments: [name, seal.sequence]
            )
            let count = transaction.changedRows
            var record = AuditRecord(event: "retention", actor: actor)
            record.count = count
            let place = node.map { " of node \($0)" } ?? ""
            record.detail = ["records\(place) up to \(seal.sequence) were deleted"]
            try transaction.append([(.current, record)])
            return count
        }
    }
}

/// The checks that precede each new seal.
extension StoreTransaction {
    /// - Throws: ``StoreError`` of kind `refused` if a node that was named has neither records nor
    ///   seals.
    fileprivate func requireChain(of node: String?) throws {
        guard let node else { return }
        guard try self.auditNodes().contains(where: { ExactText($0) == ExactText(node) }) else {
            throw StoreError.refused("no node \(node) has an audit log: gatepost audit verify")
        }
    }

    /// Whether this is a node that shares the store and has neither records nor seals.
    fileprivate func canBeginAudit() throws -> Bool {
        let node = self.connection.node
        guard !node.isEmpty else { return false }
        return try !self.auditNodes().contains { ExactText($0) == ExactText(node) }
    }

    /// - Parameter node: Nil for this node.
    /// - Returns: The last checkpoint seal, after every record since then was found to follow
    ///   from it.
    /// - Throws: ``StoreError`` of kind `unusable` if a seal is missing or not authentic, or a
    ///   record was changed or removed.
    @discardableResult
    func requireSealed(_ masterKey: MasterKey, node: String? = nil) throws -> AuditSeal {
        let node = node ?? self.connection.node
        let changed = StoreError.unusable(
            "the audit log was changed and is not sealed any more: gatepost audit verify"
        )
        guard let last = try AuditSeal.fetch(.checkpoint, node: node, transaction: self),
            last.isAuthentic(masterKey)
        else { throw changed }
        let start = try AuditSeal.fetch(.start, node: node, transaction: self)
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
                arguments: [node, sequence]
            )
            guard stored == hash else { throw changed }
        }
        let rows = try self.cursor(
            sql: """
                SELECT sequence, moment, record, hash FROM audit WHERE node = ? AND sequence > ?
                ORDER BY sequence
                """,
            arguments: [node, sequence]
        )
        while let row = try rows.next() {
            let next = Self.hash(
                after: hash,
                node: node,
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
