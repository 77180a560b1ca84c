package import Access
import Foundation

/// What the removal of the grants on one folder changed.
package struct FolderGrantRemoval: Equatable, Sendable {
    /// The number of grants that were changed or deleted.
    package var count: Int
    /// The subject's other local grants that still give a removed side in the folder.
    package var remaining: [GrantRow]
}

/// Removal of the grants on one folder: one edit, and one audit record.
extension PermissionStore {
    /// Removes the view side, the send side, or both from every local grant of a subject on one
    /// folder, with or without the folders below it. Grants on the whole account and on other
    /// folders stay, also those that include this folder.
    /// - Parameters:
    ///   - folder: Exactly the folder of the grants.
    ///   - account: Any address of the account.
    ///   - subject: Exactly the login or `group:NAME` of the grants.
    ///   - sides: What is removed.
    ///   - actor: The recorded name of who removes them; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, for an account whose grants come from
    ///   Exchange, and of kind `notFound` if no grant of the subject on the folder has one of
    ///   these sides.
    package func removeGrants(
        on folder: FolderPath,
        account: String,
        subject: String,
        sides: Sides,
        actor: String
    ) throws -> FolderGrantRemoval {
        let what = "grant remove \(account) \(subject) \(sides.words) --folder \(folder)"
        return try self.edit(Edit(actor: actor, action: what, account: account)) { transaction in
            let id = try transaction.accountID(text: account)
            try transaction.checkLocal(id, name: account)
            let named = try transaction.subject(text: subject)
            let onFolder = RowFilter(account: id, subject: named)
                .and("folder = ?", arguments: [Data(folder.octets)])
            let count = try onFolder.and(sides.columnCondition)
                .rows(transaction, of: "SELECT 1 FROM \"grant\"").count
            guard count > 0 else {
                throw StoreError.notFound(
                    "\(subject) has no such grant on the folder \(folder) of \(account): gatepost "
                        + "grant list --account \(account)"
                )
            }
            try transaction.clear(onFolder, sides: sides)
            let remaining = try transaction.grants(
                where: RowFilter("g.account", in: [id]).and("g.source = 'local'")
                    .and(RowFilter(subject: named, table: "g."))
            ).map(\.row).filter { $0.gives(sides, in: folder, at: .current) }
            return FolderGrantRemoval(count: count, remaining: remaining)
        }
    }
}

extension Sides {
    /// The condition of grants that give one of these sides.
    fileprivate var columnCondition: String {
        let conditions: [String] =
            (self.contains(.view) ? ["rights <> ''"] : [])
            + (self.contains(.send) ? ["send <> 'none'"] : [])
        return conditions.isEmpty ? "FALSE" : "(\(conditions.joined(separator: " OR ")))"
    }
}

extension GrantRow {
    /// Whether the grant, which has not ended, gives one of these sides in a folder. The right to
    /// send is one of the whole account.
    fileprivate func gives(_ sides: Sides, in folder: FolderPath, at moment: Moment) -> Bool {
        if let until = self.until, until <= moment.seconds { return false }
        if sides.contains(.send), self.send != "none" { return true }
        guard sides.contains(.view), !self.rights.isEmpty else { return false }
        guard let own = self.folder else { return true }
        guard let path = FolderPath(octets: Array(own.utf8)) else { return false }
        return (self.subtree ? Scope.subtree(path) : .folder(path)).covers(folder)
    }
}
