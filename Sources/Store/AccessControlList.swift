package import Access
import Foundation
import GRDB

/// Why a change from a mail client is not made; the transaction ends with it.
private struct ACLRefusal: Error {
    var outcome: ACLChange.Outcome

    init(_ outcome: ACLChange.Outcome) {
        self.outcome = outcome
    }
}

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
                actor: login,
                from: from ?? "mail client",
                what,
                account: address,
                details: details
            ) { database in
                try Self.share(change, with: subject, login: login, database: database)
            }
            return .done
        } catch let refusal as ACLRefusal {
            return refusal.outcome
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
        let owner = change.owner.rawValue
        guard try self.owner(of: account, database) == owner,
            try self.kind(of: account, database) == .imap
        else { throw StoreError.refused("the account is not the owner's, or on Exchange") }
        guard let (user, group) = try? self.subject(database, text: subject), user != owner
        else { throw ACLRefusal(.unknownIdentifier) }
        let place = Scope.folder(change.folder)
        var (here, elsewhere): (Rights, Rights) = ([], [])
        var ends: [Int64?] = []
        let now = Moment.current.seconds
        for grant in try self.grants(database)
        where grant.accountID == account && grant.user == user && grant.group == group
            && grant.row.confirmed && grant.row.until ?? .max > now
        {
            let scope = try self.scope(of: grant.row)
            let rights = Rights(letters: grant.row.rights) ?? []
            if scope == place {
                here.formUnion(rights)
                if !rights.isEmpty { ends.append(grant.row.until) }
            } else if scope.covers(change.folder) {
                elsewhere.formUnion(rights)
            }
        }
        // What the folder's own grant becomes; others stay, with their ends.
        let wanted: Rights =
            switch change.kind {
            case .replace: change.rights
            case .add: here.union(change.rights)
            case .remove: here.subtracting(change.rights)
            }
        let keeps: Bool =
            switch change.kind {
            case .replace: wanted.isSuperset(of: elsewhere)
            case .add: true
            case .remove: elsewhere.isDisjoint(with: change.rights)
            }
        guard keeps else { throw ACLRefusal(.grantedElsewhere) }
        let (folder, isSubtree) = self.columns(of: place)
        try self.clear(
            self.samePlace,
            arguments: [account, user, group, folder, isSubtree],
            view: true,
            send: false,
            database: database
        )
        // What was given for a time, and is changed, ends when it was to end.
        let until =
            change.kind == .replace || ends.contains(nil) ? nil : ends.compactMap { $0 }.max()
        let isNeeded = !elsewhere.isSuperset(of: wanted)
        if isNeeded {
            let count = try Int.fetchOne(
                database,
                sql: #"SELECT COUNT(*) FROM "grant" WHERE account = ?"#,
                arguments: [account]
            )
            guard count ?? 0 < self.maximumSharedGrants else {
                throw ACLRefusal(.tooMany)
            }
            try database.execute(
                sql: """
                    INSERT INTO "grant" (account, user, "group", rights, send, folder, subtree,
                        until, author, created) VALUES (?, ?, ?, ?, 'none', ?, 0, ?, ?, ?)
                    """,
                arguments: [
                    account, user, group, wanted.letters, folder, until, login, now,
                ]
            )
        }
        return wanted.union(elsewhere)
    }

    private static func scope(of row: GrantRow) throws -> Scope {
        guard let folder = row.folder else { return .account }
        let path = try self.folder(folder)
        return row.subtree ? .subtree(path) : .folder(path)
    }
}
