package import Access
import Foundation

/// Reading of the audit log.
extension PermissionStore {
    /// The nodes that have records or seals, in the order of their names' octets. The only chain of
    /// a file has an empty name.
    package func auditNodes() throws -> [String] {
        try self.read { try $0.auditNodes() }
    }

    /// Reads the records of all nodes that match a filter, oldest first. Memory is limited to a few
    /// batches.
    ///
    /// Records of one node keep their order, even if its clock was set back. Those of several nodes
    /// are merged by moment; at equal moments, by the octets of the node's name.
    /// - Parameters:
    ///   - limit: Only the newest records, this many; nil for all.
    ///   - after: Only records after this position; nil for all.
    ///   - body: Called with each batch, outside of a transaction.
    /// - Returns: The position after the last record of each node that was looked at, for the next
    ///   call with `after`.
    /// - Throws: ``StoreError`` for a text that cannot be an address, and of kind `unusable`
    ///   for a record that cannot be decoded; errors of the body are rethrown.
    @discardableResult
    package func readAudit(
        _ filter: AuditFilter = AuditFilter(),
        limit: Int? = nil,
        after: AuditPosition? = nil,
        body: ([AuditEntry]) throws -> Void
    ) throws -> AuditPosition {
        var (merge, position) = try self.read { transaction in
            // A removed account has no row; its records are found by the address as given.
            let address = try filter.account.map {
                try transaction.primary(named: $0) ?? PermissionStore.address($0).description
            }
            let query = AuditQuery(filter, address: address)
            let ends = try transaction.auditEnds()
            let ranges = try query.ranges(ends, after: after, transaction: transaction)
            var position = after ?? AuditPosition()
            for (node, last) in ends { position[node] = max(last, position[node]) }
            guard let limit else {
                return (AuditMerge(query, ranges: ranges, skipping: 0), position)
            }
            let (newest, count) = try query.newest(limit, of: ranges, transaction: transaction)
            let merge = AuditMerge(query, ranges: newest, skipping: max(count - limit, 0))
            return (merge, position)
        }
        while true {
            let entries = try merge.next(self)
            guard !entries.isEmpty else { return position }
            try body(entries)
        }
    }

    /// The records that match all of the given filters, oldest first, in memory.
    /// - Throws: ``StoreError`` as ``readAudit(_:limit:after:body:)``.
    package func auditEntries(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil
    ) throws -> [AuditEntry] {
        var entries: [AuditEntry] = []
        let filter = AuditFilter(account: account, user: user, since: since)
        try self.readAudit(filter) { entries += $0 }
        return entries
    }

    /// When each user last used each account: account address, then the actor's login.
    ///
    /// Only the events in ``StoreTransaction/uses`` count. Commands that mail programs send
    /// unattended, such as STATUS of every folder, do not count as use.
    /// - Parameter account: The address of the only account to look at; nil for all.
    /// - Throws: ``StoreError`` as ``readAudit(_:limit:after:body:)``.
    package func lastUses(of account: String? = nil) throws -> [String: [String: Moment]] {
        var uses: [String: [String: Moment]] = [:]
        try self.readAudit(AuditFilter(account: account)) { entries in
            for entry in entries where entry.record.outcome == .allowed {
                guard StoreTransaction.uses.contains(entry.record.event) else { continue }
                for account in [entry.record.account, entry.record.targetAccount] {
                    guard let account else { continue }
                    uses[account, default: [:]][entry.record.actor] = entry.moment
                }
            }
        }
        return uses
    }
}
