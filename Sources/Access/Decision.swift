/// What one user may do on one account, for as long as nothing changes.
///
/// The answer of the one decision there is; a ``Verdict`` is this for one folder, with reasons.
package struct AccountAccess: Equatable, Sendable {
    package var isOwner = false
    package var send = SendRight.none
    /// The next moment at which time alone changes the answer.
    package var validUntil: Moment?
    var scoped: [(scope: Scope, rights: Rights)] = []
    /// Finds the rights in a folder without looking at every scope; nil where there are few.
    private var index: ScopeIndex?
    /// Why, in the order in which the rules are looked at.
    package internal(set) var reasons: [Reason] = []

    /// Rights in one folder.
    package func rights(in folder: FolderPath) -> Rights {
        if self.isOwner { return .all }
        if let index = self.index { return index.rights(in: folder) }
        var rights: Rights = []
        for entry in self.scoped where entry.scope.covers(folder) {
            rights.formUnion(entry.rights)
        }
        return rights
    }

    /// Makes ready for many questions: a user may have a grant on each of an account's folders.
    fileprivate mutating func makeIndex() {
        guard self.scoped.count > ScopeIndex.worthwhileScopes else { return }
        self.index = ScopeIndex(self.scoped)
    }

    /// Whether a folder may be moved, with everything below it, to another place of the account.
    ///
    /// Rights go by place: a move may carry nothing to where this user has a right on it that was
    /// not the user's before. Others may have more there: who may not read a folder carries it nowhere.
    /// The target's part, `k` on what will be above it, is asked apart.
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

    /// Whether a folder may be deleted together with everything that is or will be below it.
    package func mayDelete(_ folder: FolderPath) -> Bool {
        self.isOwner
            || self.scoped.contains {
                $0.rights.contains(.deleteMailbox) && $0.scope.coversAll(from: folder)
            }
    }

    /// Whether a folder, or anything that is or will be below it, is listed.
    package func isVisible(from folder: FolderPath) -> Bool {
        if self.isOwner { return true }
        if let index = self.index { return index.isVisible(from: folder) }
        return self.scoped.contains {
            $0.rights.contains(.lookup) && $0.scope.coversAny(from: folder)
        }
    }

    /// Rights that hold wherever in the account a folder lies.
    package var coversAccount: Rights {
        if self.isOwner { return .all }
        return self.scoped.reduce(into: []) { rights, entry in
            if case .account = entry.scope { rights.formUnion(entry.rights) }
        }
    }

    /// Rights that hold somewhere.
    package var anywhere: Rights {
        self.isOwner ? .all : self.scoped.reduce(into: []) { $0.formUnion($1.rights) }
    }

    /// Whether the account is listed for the user.
    package var isVisible: Bool { self.anywhere.contains(.lookup) }

    package static func == (one: AccountAccess, other: AccountAccess) -> Bool {
        one.isOwner == other.isOwner && one.send == other.send
            && one.validUntil == other.validUntil && one.reasons == other.reasons
            && one.scoped.elementsEqual(other.scoped) {
                $0.scope == $1.scope && $0.rights == $1.rights
            }
    }
}

/// The answer to one question, with its reasons.
package struct Verdict: Equatable, Sendable {
    package var rights: Rights
    package var send: SendRight
    package var isOwner: Bool
    package var because: [Reason]
}

/// One rule that decided.
package enum Reason: Equatable, Sendable {
    case unknownUser
    case unknownAccount
    case disabledUser
    case disabledAccount
    case owner
    case wall(Wall)
    case withdrawal(Withdrawal)
    /// - Parameter path: the groups from the one that the grant names down to the user.
    case grant(Grant, path: [GroupID])
    case nothing
}

extension Snapshot {
    /// The decision. Pure: the same snapshot, user, account and moment give the same answer.
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

    /// What somebody may do who does not own the account.
    /// - Parameter subjects: the user, and every group that contains the user.
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

    /// What grants give a user, whatever takes it away again.
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

    /// The decision for one folder; without one, for the account as a whole.
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

    private func denied(_ reason: Reason) -> AccountAccess {
        var access = AccountAccess()
        access.reasons = [reason]
        return access
    }

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

/// Which of Exchange's entries for one folder count: the user's own alone if there is one, else
/// those of the user's groups, else the one for everyone.
private enum FolderEntryRank: Int, Comparable {
    case user
    case group
    case everyone

    static func < (one: FolderEntryRank, other: FolderEntryRank) -> Bool {
        one.rawValue < other.rawValue
    }
}

extension Grant {
    /// An entry in a folder's list in Exchange; nil for any other grant.
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
    /// Grants of an Exchange account come from Exchange alone, those of any other never do.
    package var grantSource: Source { self.kind == .exchange ? .exchange : .local }
}
