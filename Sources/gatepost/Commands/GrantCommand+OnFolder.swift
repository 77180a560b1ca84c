import Access
import Store

/// The option `--folder` of `gatepost grant remove`.
extension GrantCommand.Remove {
    /// Removes the grants on one folder, and says which others of the subject still include it.
    /// - Throws: `StoreError`, also for an Exchange account: a withdrawal is of the whole account.
    func removeGrants(
        on folder: String,
        sides: Sides,
        store: PermissionStore,
        actor: String
    ) throws {
        let path = try PermissionStore.folder(folder)
        guard try store.account(self.account).kind != Account.Kind.exchange.rawValue else {
            throw Failure(
                "\(self.account) is an Exchange account: change the folder's permissions there, "
                    + "then gatepost permissions load \(self.account); or withdraw the whole "
                    + "account, without --folder"
            )
        }
        let removal = try store.removeGrants(
            on: path,
            account: self.account,
            subject: self.subject,
            sides: sides,
            actor: actor
        )
        print("\(removal.count) \(removal.count == 1 ? "grant" : "grants") changed")
        for grant in removal.remaining {
            let place = grant.folder.map { "\($0)\(grant.subtree ? " and below" : "")" }
            Output.line(
                "note: grant \(grant.id) of \(grant.subject) on \(place ?? "the whole account") "
                    + "remains: see gatepost grant list --account \(grant.account)"
            )
        }
    }
}
