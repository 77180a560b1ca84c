package import Access
import Foundation
import GRDB

/// What an owner asks for from a mail client: rights of somebody in one folder.
package struct FolderSharing: Sendable {
    package enum Kind: Sendable {
        case replace
        case add
        case remove
    }

    package enum Outcome: Error, Equatable, Sendable {
        case done
        case unknownSubject
        /// A grant for more than this folder gives what should go.
        case grantedElsewhere
        /// There is no room for another grant.
        case tooMany
    }

    /// Grants of one account beyond which none is added from a mail client: each change reads all again.
    package static let maximumGrants = 500

    package var account: AccountID
    package var folder: FolderPath
    /// A login, or `group:NAME`.
    package var subject: String
    package var kind: Kind
    package var rights: Rights
    package var owner: UserID
    /// The owner's network address.
    package var from: String?

    package init(
        account: AccountID,
        folder: FolderPath,
        subject: String,
        kind: Kind,
        rights: Rights,
        owner: UserID,
        from: String?
    ) {
        self.account = account
        self.folder = folder
        self.subject = subject
        self.kind = kind
        self.rights = rights
        self.owner = owner
        self.from = from
    }
}

extension PermissionStore {
    /// Shares one folder of an account by its owner's hand. Grants for more than the folder stay as
    /// they are: what they give cannot be taken away here.
    package func share(_ sharing: FolderSharing) throws -> FolderSharing.Outcome {
        let (login, address) = try self.read { database in
            let login = try String.fetchOne(
                database,
                sql: "SELECT login FROM user WHERE id = ? AND disabled = 0",
                arguments: [sharing.owner.rawValue]
            )
            return (login, try Self.primary(of: sharing.account.rawValue, database))
        }
        guard let login else { throw StoreError.refused("the owner is gone, or disabled") }
        let what = "share \(sharing.folder) with \(sharing.subject)"
        func details(_ rights: Rights) -> [String] {
            ["rights \(rights.isEmpty ? "none" : rights.letters)"]
        }
        do {
            _ = try self.edit(
                actor: login,
                from: sharing.from ?? "mail client",
                what,
                account: address,
                details: details
            ) { database in
                try Self.share(sharing, login: login, database: database)
            }
            return .done
        } catch let outcome as FolderSharing.Outcome {
            return outcome
        }
    }

    /// - Returns: what the subject has in the folder now.
    private static func share(
        _ sharing: FolderSharing,
        login: String,
        database: Database
    ) throws -> Rights {
        let account = sharing.account.rawValue
        let owner = sharing.owner.rawValue
        guard try self.owner(of: account, database) == owner,
            try self.kind(of: account, database) == .imap
        else { throw StoreError.refused("the account is not the owner's, or on Exchange") }
        guard let (user, group) = try? self.subject(database, text: sharing.subject), user != owner
        else { throw FolderSharing.Outcome.unknownSubject }
        let place = Scope.folder(sharing.folder)
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
            } else if scope.covers(sharing.folder) {
                elsewhere.formUnion(rights)
            }
        }
        // What the folder's own grant becomes; others stay, with their ends.
        let wanted: Rights =
            switch sharing.kind {
            case .replace: sharing.rights
            case .add: here.union(sharing.rights)
            case .remove: here.subtracting(sharing.rights)
            }
        let keeps: Bool =
            switch sharing.kind {
            case .replace: wanted.isSuperset(of: elsewhere)
            case .add: true
            case .remove: elsewhere.isDisjoint(with: sharing.rights)
            }
        guard keeps else { throw FolderSharing.Outcome.grantedElsewhere }
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
            sharing.kind == .replace || ends.contains(nil) ? nil : ends.compactMap { $0 }.max()
        let isNeeded = !elsewhere.isSuperset(of: wanted)
        if isNeeded {
            let count = try Int.fetchOne(
                database,
                sql: #"SELECT COUNT(*) FROM "grant" WHERE account = ?"#,
                arguments: [account]
            )
            guard count ?? 0 < FolderSharing.maximumGrants else {
                throw FolderSharing.Outcome.tooMany
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
