/// What one user may do on one account: the only place where the rules are combined.
///
/// It holds until the snapshot changes or ``validUntil`` passes. A ``Verdict`` is its value for one
/// folder, with reasons.
package struct AccountAccess: Equatable, Sendable {
    /// Whether the account belongs to the user, who then has every right.
    package var isOwner = false
    /// The strongest send right that is granted.
    package var send = SendRight.none
    /// The first time at which a grant ends, and the answer may change without a new snapshot.
    package var validUntil: Moment?
    /// The granted rights by scope; empty for the owner.
    var scoped: [(scope: Scope, rights: Rights)] = []
    /// An index of ``scoped``; nil while a scan of the few scopes is as fast.
    private var index: ScopeIndex?
    /// The rules that decided, in the order of their evaluation.
    package internal(set) var reasons: [Reason] = []

    /// The union of the rights that hold in one folder.
    package func rights(in folder: FolderPath) -> Rights {
        if self.isOwner { return .all }
        if let index = self.index { return index.rights(in: folder) }
        var rights: Rights = []
        for entry in self.scoped where entry.scope.covers(folder) {
            rights.formUnion(entry.rights)
        }
        return rights
    }

    /// Builds the index. A user may have a grant on each folder of an account.
    fileprivate mutating func makeIndex() {
        guard self.scoped.count > ScopeIndex.worthwhileScopes else { return }
        self.index = ScopeIndex(self.scoped)
    }

    /// Whether the user may move a folder, with everything below it, to another place of the
    /// account.
    ///
    /// Rights belong to a place. A move must not carry a folder to a place where this user has a
    /// right that the user did not have before. Other users may have more rights there: the user
    /// must therefore be allowed to read the folder. The right `k` on the new parent is a separate
    /// check.
    package func mayMove(_ folder: FolderPath, to target: FolderPath) -> Bool {
        if self.isOwner { return true }
        var before: Rights = []
        for entry in self.scoped where entry.scope.coversAll(from: folder) {
            before.formUnion(entry.rights)
        }
        var after: Rights = []
        for entry in self.scoped where entry.scope.coversAny(from: target) {
            after.formUnion(entry.rights)
        }
        return before.isSuperset(of: [.deleteMailbox, .read]) && before.isSuperset(of: after)
    }

    /// Whether a folder may be deleted with every existing and future folder below it.
    package func mayDelete(_ folder: FolderPath) -> Bool {
        self.isOwner
            || self.scoped.contains {
                $0.rights.contains(.deleteMailbox) && $0.scope.coversAll(from: folder)
            }
    }

    /// Whether a folder, or any existing or future folder below it, appears in a listing.
    package func isVisible(from folder: FolderPath) -> Bool {
        if self.isOwner { return true }
        if let index = self.index { return index.isVisible(from: folder) }
        return self.scoped.contains {
            $0.rights.contains(.lookup) && $0.scope.coversAny(from: folder)
        }
    }

    /// The rights that hold in every folder of the account.
    package var coversAccount: Rights {
        if self.isOwner { return .all }
        return self.scoped.reduce(into: []) { rights, entry in
            if case .account = entry.scope { rights.formUnion(entry.rights) }
        }
    }

    /// The union of the rights that hold in at least one folder.
    package var anywhere: Rights {
        self.isOwner ? .all : self.scoped.reduce(into: []) { $0.formUnion($1.rights) }
    }

    /// Whether the account appears in the user's listing.
    package var isVisible: Bool { self.anywhere.contains(.lookup) }

    package static func == (one: AccountAccess, other: AccountAccess) -> Bool {
        one.isOwner == other.isOwner && one.send == other.send
            && one.validUntil == other.validUntil && one.reasons == other.reasons
            && one.scoped.elementsEqual(other.scoped) {
                $0.scope == $1.scope && $0.rights == $1.rights
            }
    }
}

/// The access of one user to one folder, or to an account as a whole, with reasons.
package struct Verdict: Equatable, Sendable {
    /// The folder rights.
    package var rights: Rights
    /// The send right, which is one of the account.
    package var send: SendRight
    /// Whether the account belongs to the user.
    package var isOwner: Bool
    /// The rules that decided.
    package var because: [Reason]
}

/// A rule that decided.
package enum Reason: Equatable, Sendable {
    case unknownUser
    case unknownAccount
    case disabledUser
    case disabledAccount
    case owner
    /// The user or a group of the user is barred; grants do not count.
    case wall(Wall)
    /// Folder rights, the send right or both were taken away.
    case withdrawal(Withdrawal)
    /// - Parameter path: the nested groups from the grant's subject to the user.
    case grant(Grant, path: [GroupID])
    /// No grant names the user.
    case nothing
}

extension Snapshot {
    /// Decides what a user may do on an account.
    ///
    /// Pure: the same snapshot, user, account and time give the same answer. The rules apply in
    /// this order: unknown or disabled user or account, owner, wall, grants, withdrawals.
    package func access(
        of userID: UserID?,
        to accountID: AccountID,
        at moment: Moment
    ) -> AccountAccess {
        var access = AccountAccess()
        guard let userID, let user = self.users[userID] else {
            return self.denied(.unknownUser)
        }
        guard !user.isDisabled else { return self.denied(.disabledUser) }
        guard let account = self.accounts[accountID] else { return self.denied(.unknownAccount) }
        guard !account.isDisabled else { return self.denied(.disabledAccount) }
        if account.owner == userID {
            access.isOwner = true
            access.send = .as
            access.reasons = [.owner]
            return access
        }
        return self.access(of: self.subjects(of: userID), to: account, at: moment)
    }

    /// Decides for a user who does not own the account.
    /// - Parameter subjects: the user and every group that contains the user, each with its path.
    func access(
        of subjects: [Subject: [GroupID]],
        to account: Account,
        at moment: Moment
    ) -> AccountAccess {
        var access = AccountAccess()
        let accountID = account.id
        if let wall = self.walls[accountID]?.first(where: { subjects[$0.subject] != nil }) {
            return self.denied(.wall(wall))
        }
        self.collectGrants(of: subjects, to: account, at: moment, into: &access)
        self.applyWithdrawals(of: subjects, to: accountID, into: &access)
        if access.reasons.isEmpty { access.reasons = [.nothing] }
        access.makeIndex()
        return access
    }

    /// The sum of a user's grants, before withdrawals and walls.
    func granted(
        to user: UserID,
        on accountID: AccountID,
        at moment: Moment
    ) -> AccountAccess {
        var access = AccountAccess()
        guard let account = self.accounts[accountID] else { return access }
        self.collectGrants(of: self.subjects(of: user), to: account, at: moment, into: &access)
        return access
    }

    /// The decision for one folder, or for the account as a whole if `folder` is nil.
    package func verdict(
        user: UserID?,
        account: AccountID,
        folder: FolderPath?,
        at moment: Moment
    ) -> Verdict {
        let access = self.access(of: user, to: account, at: moment)
        return Verdict(
            rights: folder.map(access.rights(in:)) ?? access.coversAccount,
            send: access.send,
            isOwner: access.isOwner,
            because: access.reasons.filter { reason in
                guard case .grant(let grant, _) = reason, let folder else { return true }
                return grant.send != .none || grant.scope.covers(folder)
            }
        )
    }

    /// No rights, for one reason.
    private func denied(_ reason: Reason) -> AccountAccess {
        var access = AccountAccess()
        access.reasons = [reason]
        return access
    }

    /// Adds the grants in force, after Exchange's precedence of folder entries.
    private func collectGrants(
        of subjects: [Subject: [GroupID]],
        to account: Account,
        at moment: Moment,
        into access: inout AccountAccess
    ) {
        let grants = self.grants(of: subjects, on: account.id).filter { grant in
            grant.isInForce(at: moment) && grant.source == account.grantSource
        }
        var ranks: [FolderPath: FolderEntryRank] = [:]
        for grant in grants {
            guard let (folder, rank) = grant.folderEntry else { continue }
            ranks[folder] = min(ranks[folder] ?? rank, rank)
        }
        for grant in grants {
            guard let path = subjects[grant.subject] else { continue }
            if let (folder, rank) = grant.folderEntry, ranks[folder] != rank { continue }
            access.scoped.append((grant.scope, grant.rights))
            access.send = max(access.send, grant.send)
            access.reasons.append(.grant(grant, path: path))
            if let until = grant.until {
                access.validUntil = min(access.validUntil ?? until, until)
            }
        }
    }

    /// Removes what withdrawals take away; they override every grant.
    private func applyWithdrawals(
        of subjects: [Subject: [GroupID]],
        to account: AccountID,
        into access: inout AccountAccess
    ) {
        for withdrawal in self.withdrawals[account] ?? []
        where subjects[withdrawal.subject] != nil {
            if withdrawal.view { access.scoped = [] }
            if withdrawal.send { access.send = .none }
            access.reasons.append(.withdrawal(withdrawal))
        }
    }
}

/// The precedence of Exchange's entries in one folder's list: an entry for the user overrides those
/// for the user's groups, and these override `Default`.
private enum FolderEntryRank: Int, Comparable {
    case user
    case group
    case everyone

    static func < (one: FolderEntryRank, other: FolderEntryRank) -> Bool {
        one.rawValue < other.rawValue
    }
}

extension Grant {
    /// The folder and precedence of an entry in an Exchange folder's list; nil for other grants.
    fileprivate var folderEntry: (FolderPath, FolderEntryRank)? {
        guard self.source == .exchange, case .folder(let folder) = self.scope else { return nil }
        switch self.subject {
        case .everyone: return (folder, .everyone)
        case .group: return (folder, .group)
        case .user: return (folder, self.via == nil ? .user : .group)
        }
    }
}

extension Account {
    /// The only source of grants that counts: Exchange for its accounts, the store for all others.
    package var grantSource: Source { self.kind == .exchange ? .exchange : .local }
}
