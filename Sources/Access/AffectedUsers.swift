/// The users for whom a decision may differ after a change.
package enum AffectedUsers: Equatable, Sendable {
    case all
    case some(Set<UserID>)

    /// The number of users from which on ``all`` is as good: a gateway keeps several of these sets.
    static let maximumUsers = 10_000

    /// Whether a user is one of them.
    package func contains(_ user: UserID) -> Bool {
        switch self {
        case .all: true
        case .some(let users): users.contains(user)
        }
    }
}

/// The subjects that rules or a change name.
struct AffectedSubjects {
    var users: Set<UserID> = []
    var groups: Set<GroupID> = []
    var isEveryone = false

    mutating func insert(_ subject: Subject) {
        switch subject {
        case .user(let user): self.users.insert(user)
        case .group(let group): self.groups.insert(group)
        case .everyone: self.isEveryone = true
        }
    }

    /// Adds the owner of an account and every subject with a grant on it.
    mutating func insert(account: AccountID, in snapshot: Snapshot) {
        if let owner = snapshot.accounts[account]?.owner { self.users.insert(owner) }
        for grant in snapshot.tables.grants[account]?.all ?? [] { self.insert(grant.subject) }
    }

    /// The users, with the members of the groups in any of the snapshots.
    func resolved(in snapshots: [Snapshot]) -> AffectedUsers {
        guard !self.isEveryone else { return .all }
        var users = self.users
        for snapshot in snapshots {
            snapshot.memberships.insertUsers(of: self.groups, into: &users)
        }
        return users.count > AffectedUsers.maximumUsers ? .all : .some(users)
    }
}

extension Snapshot {
    /// The users for whom a decision may differ in the next snapshot.
    /// - Parameter next: this snapshot with the change applied.
    package func usersAffected(by change: SnapshotChange, next: Snapshot) -> AffectedUsers {
        var subjects = AffectedSubjects()
        subjects.users.formUnion(change.users.keys)
        for (group, name) in change.groups where name == nil { subjects.groups.insert(group) }
        for member in change.members.values.flatMap(\.keys) { subjects.insert(member) }
        for account in change.accounts.keys {
            subjects.insert(account: account, in: self)
            subjects.insert(account: account, in: next)
        }
        for (account, grants) in change.grants {
            for (id, grant) in grants {
                if let before = self.tables.grants[account]?.grant(id) {
                    subjects.insert(before.subject)
                }
                if let grant { subjects.insert(grant.subject) }
            }
        }
        for (account, after) in change.withdrawals {
            let before = Set(self.withdrawals[account] ?? [])
            for withdrawal in before.symmetricDifference(after) {
                subjects.insert(withdrawal.subject)
            }
        }
        for (account, after) in change.walls {
            let before = Set(self.walls[account] ?? [])
            for wall in before.symmetricDifference(after) { subjects.insert(wall.subject) }
        }
        return subjects.resolved(in: [self, next])
    }

    /// The users with a grant that ends in a period.
    package func usersAffected(byExpiriesAfter start: Moment, through end: Moment) -> AffectedUsers
    {
        var subjects = AffectedSubjects()
        var last = Expiry(moment: start, account: .last)
        while let expiry = self.tables.expiries.first(after: last), expiry.moment <= end {
            for grant in self.tables.grants[expiry.account]?.all ?? []
            where grant.until == expiry.moment {
                subjects.insert(grant.subject)
            }
            last = expiry
        }
        return subjects.resolved(in: [self])
    }
}
