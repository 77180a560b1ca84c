package import Access
import Foundation

extension PermissionStore {
    /// Grants of one account beyond which none is added from a mail client: each change reads all again.
    package static let maximumSharedGrants = 500

    /// Shares one folder of an account by its owner's hand. Grants for more than the folder stay as
    /// they are: what they give cannot be taken away here.
    /// - Parameter from: the owner's network address.
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
        guard let login else { throw StoreError.refused("the owner is gone, or disabled") }
        let what = "share \(change.folder) with \(subject)"
        func details(_ rights: Rights) -> [String] {
            ["rights \(rights.isEmpty ? "none" : rights.letters)"]
        }
        do {
            _ = try self.edit(
                Edit(actor: login, from: from ?? "mail client", what, account: address),
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

/// The same within a transaction.
extension StoreTransaction {
    /// - Returns: what the subject has in the folder now.
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
            throw StoreError.refused("the account is not the owner's, or on Exchange")
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
