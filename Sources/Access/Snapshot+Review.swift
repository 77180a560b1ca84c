/// The decisions of a review, for one account after another.
///
/// It visits only the users whom a rule of the account reaches, so that its time is proportional
/// to what it returns.
package struct SnapshotReview {
    private let snapshot: Snapshot
    /// The time for which it decides.
    private let moment: Moment
    /// The users to decide about; nil for all.
    private let users: Set<UserID>?
    /// The subjects of the users so far.
    private var subjects: [UserID: [Subject: [GroupID]]] = [:]

    package init(_ snapshot: Snapshot, users: Set<UserID>? = nil, at moment: Moment) {
        self.snapshot = snapshot
        self.users = users
        self.moment = moment
    }

    /// The enabled users with a right on an account, or from whom a wall or a withdrawal takes it,
    /// sorted by login.
    package mutating func access(
        to account: Account
    ) -> [(user: User, access: AccountAccess)] {
        guard !account.isDisabled else { return [] }
        let users = self.reached(by: account).compactMap { self.snapshot.users[$0] }
        return users.filter { !$0.isDisabled }.sorted { $0.login < $1.login }.compactMap { user in
            let access = self.access(of: user.id, to: account)
            guard access.anywhere != [] || access.send != .none || access.isBarred else {
                return nil
            }
            return (user, access)
        }
    }

    private mutating func access(of user: UserID, to account: Account) -> AccountAccess {
        if account.owner == user {
            return self.snapshot.access(of: user, to: account.id, at: self.moment)
        }
        let subjects = self.subjects[user] ?? self.snapshot.subjects(of: user)
        self.subjects[user] = subjects
        return self.snapshot.access(of: subjects, to: account, at: self.moment)
    }

    /// The owner, and the users whom a grant in force, a withdrawal or a wall names, in person or
    /// through a group.
    private func reached(by account: Account) -> Set<UserID> {
        var found = AffectedSubjects()
        if let owner = account.owner { found.users.insert(owner) }
        for grant in self.snapshot.grants(on: account.id)
        where grant.isInForce(at: self.moment) && grant.source == account.grantSource {
            found.insert(grant.subject)
        }
        for rule in self.snapshot.withdrawals[account.id] ?? [] { found.insert(rule.subject) }
        for rule in self.snapshot.walls[account.id] ?? [] { found.insert(rule.subject) }
        if found.isEveryone { return self.users ?? Set(self.snapshot.users.keys) }
        self.snapshot.memberships.insertUsers(of: found.groups, into: &found.users)
        return self.users.map(found.users.intersection) ?? found.users
    }
}

extension AccountAccess {
    /// Whether a wall or a withdrawal takes rights from the user.
    fileprivate var isBarred: Bool {
        self.reasons.contains { reason in
            switch reason {
            case .wall, .withdrawal: true
            default: false
            }
        }
    }
}
