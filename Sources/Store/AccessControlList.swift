package import Access
import Foundation
import GRDB

extension PermissionStore {
    /// Grants of one account beyond which none is added from a mail client: each change reads all again.
    package static let maximumSharedGrants = 500

    /// Shares one folder of an account by its owner's hand. Grants for more than the folder stay as
    /// they are: what they give cannot be taken away here.
    /// - Parameter from: the owner's network address.
    package func share(_ change: ACLChange, from: String?) throws -> ACLChange.Outcome {
        guard let subject = change.subject else { return .unknownIdentifier }
        let (login, address) = try self.read { database in
            let login = try String.fetchOne(
                database,
                sql: "SELECT login FROM user WHERE id = ? AND disabled = 0",
                arguments: [change.owner.rawValue]
            )
            return (login, try Self.primary(of: change.account.rawValue, database))
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
            ) { database in
                try Self.share(change, with: subject, login: login, database: database)
            }
            return .done
        } catch let outcome as ACLChange.Outcome {
            return outcome
        }
    }

    /// - Returns: what the subject has in the folder now.
    private static func share(
        _ change: ACLChange,
        with subject: String,
        login: String,
        database: Database
    ) throws -> Rights {
        let account = change.account.rawValue
        let named = try? self.subject(database, text: subject)
        let rules = try self.rules(
            database,
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
            sides: .view,
            database: database
        )
        guard let rights = edit.rights else { return edit.result }
        let count = try RowFilter("account", in: [account])
            .rows(database, of: "SELECT 1 FROM \"grant\"").count
        guard count < self.maximumSharedGrants else { throw ACLChange.Outcome.tooMany }
        let (folder, isSubtree) = scope.columns
        try database.execute(
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
