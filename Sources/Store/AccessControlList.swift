package import Access
import Foundation

/// Grants that owners set from their mail programs with SETACL and DELETEACL (RFC 4314).
extension PermissionStore {
    /// The number of grants on one account up to which SETACL adds another one. Each change
    /// reads all grants of the account again, so without a limit an owner's mail program could
    /// make every further change slow.
    package static let maximumSharedGrants = 500

    /// Shares one folder of an account at the request of its owner's mail client (RFC 4314
    /// §3.1, §3.2).
    ///
    /// The change applies to the folder alone. Grants on a subtree or on the whole account stay
    /// as they are, so SETACL and DELETEACL cannot remove the rights that those give. The edit
    /// is one transaction and leaves one audit record.
    /// - Parameter from: The owner's network address; nil is recorded as `mail client`.
    /// - Returns: `done`, or why nothing was changed: `unknownIdentifier` for a subject that
    ///   does not exist, `tooMany` at ``maximumSharedGrants``.
    /// - Throws: ``StoreError`` if the owner is disabled or removed, does not own the account,
    ///   or if the account is on Exchange.
    package func share(_ change: ACLChange, from: String?) throws -> ACLChange.Outcome {
        guard let subject = change.subject else { return .unknownIdentifier }
        let (login, address) = try self.read { transaction in
            let login = try transaction.value(
                of: String.self,
                sql: "SELECT login FROM user WHERE id = ? AND disabled = 0",
                arguments: [change.owner.rawValue]
            )
            return (login, try transaction.primary(of: change.account.rawValue))
        }
        guard let login else { throw StoreError.refused("the owner was removed or is disabled") }
        let what = "share \(change.folder) with \(subject)"
        func details(_ rights: Rights) -> [String] {
            ["rights \(rights.isEmpty ? "none" : rights.letters)"]
        }
        do {
            _ = try self.edit(
                Edit(actor: login, from: from ?? "mail client", action: what, account: address),
                details: details
            ) { transaction in
                try transaction.share(change, with: subject, login: login)
            }
            return .done
        } catch let outcome as ACLChange.Outcome {
            return outcome
        }
    }
}

/// Sharing of one folder, inside a transaction.
extension StoreTransaction {
    /// Replaces the folder rights that a subject has by local grants on exactly this folder.
    /// - Parameters:
    ///   - subject: The identifier as the client sent it: a login or `group:NAME`.
    ///   - login: The owner, recorded as the grant's author.
    /// - Returns: The rights that the subject has in the folder after the change.
    /// - Throws: `ACLChange.Outcome`, which rolls the transaction back, or ``StoreError``.
    func share(
        _ change: ACLChange,
        with subject: String,
        login: String
    ) throws -> Rights {
        let account = change.account.rawValue
        let named = try? self.subject(text: subject)
        let rules = try self.rules(
            on: [account],
            about: Set([named].compactMap { $0 })
        )
        let now = Moment.current
        let edit: ACLEdit
        do {
            edit = try rules.edit(for: change, subject: named, at: now)
        } catch .failed {
            throw StoreError.refused("the account has another owner, or is on Exchange")
        }
        guard let named else { throw ACLChange.Outcome.unknownIdentifier }
        let scope = Scope.folder(change.folder)
        try self.clear(
            RowFilter(account: account, subject: named, scope: scope),
            sides: .view
        )
        guard let rights = edit.rights else { return edit.result }
        let count = try RowFilter("account", in: [account])
            .rows(self, of: "SELECT 1 FROM \"grant\"").count
        guard count < PermissionStore.maximumSharedGrants else { throw ACLChange.Outcome.tooMany }
        let (folder, isSubtree) = scope.columns
        try self.execute(
            sql: """
                INSERT INTO "grant" (account, user, "group", rights, send, folder, subtree,
                    until, author, created) VALUES (?, ?, ?, ?, 'none', ?, ?, ?, ?, ?)
                """,
            arguments: [
                account, named.userKey, named.groupKey, rights.letters, folder, isSubtree,
                edit.until?.seconds, login, now.seconds,
            ]
        )
        return edit.result
    }
}
