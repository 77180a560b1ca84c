package import Access
import Foundation

/// What the journal of transfers has under a number.
package enum JournalEntry: Equatable, Sendable {
    /// An entry of this process.
    case own(Transfer)
    /// An entry that another node took over.
    case takenOver
    /// No entry: the transfer has ended, or the store is an older one.
    case missing
}

/// Takeover of what dead nodes left in a database that several nodes share.
///
/// Each entry belongs to one process. Every write of the journal confirms in its transaction that
/// the entry still belongs to the writer, and tells that the writer lives. So a process that was
/// paused, or cut off from the database, writes nothing after another one took its entries.
extension PermissionStore {
    /// Whether other nodes may use the store.
    package var isShared: Bool {
        if case .postgreSQL = self.location { return true }
        return false
    }

    /// What the journal has under a number, seen from this process.
    package func journalEntry(_ id: Int64) throws -> JournalEntry {
        guard let transfer = try self.transfer(id) else { return .missing }
        let isOwn = try self.read { try $0.isOwn(transfer: id) }
        return isOwn ? .own(transfer) : .takenOver
    }

    /// Takes over the entries of the journal, and the waiting copies, that belong to dead
    /// processes. Of several nodes that try at once, one gets each entry. Copies of messages that
    /// perhaps never went out become unknown, and belong to nobody.
    ///
    /// Nothing happens for a store that is not shared.
    /// - Parameter leases: What this node knows of the others, from earlier calls. After a lost
    ///   answer to the COMMIT, a later call returns what this process took.
    /// - Returns: The numbers of the transfers that are this process's now.
    package func takeOver(
        _ leases: NodeLeases,
        at now: ContinuousClock.Instant = .now
    ) throws -> [Int64] {
        guard self.isShared else { return [] }
        let doubtful = leases.doubtful
        let (owners, found) = try self.read { transaction in
            (
                try transaction.otherOwners(),
                try doubtful.filter { try transaction.isOwn(transfer: $0) }
            )
        }
        let dead = leases.dead(among: owners, at: now)
        var taken: [Int64] = []
        if !dead.isEmpty {
            do {
                try self.write(locking: .journal) { transaction in
                    // A node without its name must not take anything.
                    try transaction.connection.renewLease()
                    taken = try dead.flatMap { owner in
                        try transaction.takeSentCopies(of: owner)
                        return try transaction.takeTransfers(of: owner)
                    }
                }
            } catch {
                // The database perhaps committed it, or still does.
                leases.doubtful.formUnion(taken)
                throw error
            }
        }
        leases.doubtful.subtract(found + taken)
        return found + taken
    }
}

extension StoreTransaction {
    /// The condition that a process has given no sign of life since it was examined. Takes its
    /// node, its number and its last sign.
    static let isSilent = """
        NOT EXISTS (SELECT 1 FROM node
            WHERE name = ? AND node.instance = ? AND seen IS DISTINCT FROM CAST(? AS bigint))
        """

    /// Whether an entry belongs to this process.
    func isOwn(transfer: Int64) throws -> Bool {
        try self.row(
            sql: "SELECT 1 FROM transfer WHERE id = ? AND instance = ?",
            arguments: [transfer, self.connection.instance]
        ) != nil
    }

    /// Requires that an entry belongs to this process, and tells that the process lives.
    /// - Throws: ``noTransfer``.
    func requireOwn(transfer: Int64) throws {
        try self.connection.renewLease()
        guard try self.isOwn(transfer: transfer) else { throw Self.noTransfer }
    }

    /// Deletes an entry of this process.
    /// - Throws: ``noTransfer`` if nodes share the store and this process has no such entry: the
    ///   transfer may have been undone by another node.
    func delete(transfer: Int64) throws {
        try self.connection.renewLease()
        let instance = self.connection.instance
        try self.execute(
            sql: "DELETE FROM transfer WHERE id = ? AND instance = ?",
            arguments: [transfer, instance]
        )
        guard self.changedRows == 1 || instance == 0 else { throw Self.noTransfer }
    }

    /// The other processes that own something which can be taken over.
    fileprivate func otherOwners() throws -> [OwningProcess] {
        let instance = self.connection.instance
        return try self.rows(
            sql: """
                SELECT owner.node, owner.instance, node.seen FROM (
                    SELECT node, instance FROM transfer WHERE instance <> ?
                    UNION
                    SELECT node, instance FROM sentCopy
                    WHERE instance <> ? AND state IN ('unsent', 'sent')
                ) AS owner
                LEFT JOIN node ON node.name = owner.node AND node.instance = owner.instance
                """,
            arguments: [instance, instance]
        ).map { row in
            OwningProcess(
                key: OwningProcess.Key(node: row["node"], instance: row["instance"]),
                seen: row["seen"]
            )
        }
    }

    /// Makes the entries of a dead process this one's.
    fileprivate func takeTransfers(of owner: OwningProcess) throws -> [Int64] {
        let (key, own) = (owner.key, self.connection)
        return try self.values(
            of: Int64.self,
            sql: """
                UPDATE transfer SET node = ?, instance = ?
                WHERE node = ? AND transfer.instance = ? AND \(Self.isSilent) RETURNING id
                """,
            arguments: [
                own.node, own.instance, key.node, key.instance, key.node, key.instance, owner.seen,
            ]
        )
    }
}
