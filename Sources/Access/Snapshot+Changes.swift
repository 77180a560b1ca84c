/// The differences between two revisions of the store.
///
/// A value of nil means that the row was removed.
package struct SnapshotChange: Sendable {
    /// The later revision.
    package var revision: Int64
    package var users: [UserID: User?] = [:]
    /// The names of the groups.
    package var groups: [GroupID: String?] = [:]
    /// Whether a user or group is a direct member of a group.
    package var members: [GroupID: [Subject: Bool]] = [:]
    package var accounts: [AccountID: Account?] = [:]
    /// The changed grants of each account, by key.
    package var grants: [AccountID: [Int64: Grant?]] = [:]
    /// All withdrawals of each account where one changed.
    package var withdrawals: [AccountID: [Withdrawal]] = [:]
    /// All walls of each account where one changed.
    package var walls: [AccountID: [Wall]] = [:]

    package init(revision: Int64) {
        self.revision = revision
    }
}

/// The time at which a grant on an account ends.
struct Expiry: Hashable, Comparable, Sendable {
    let moment: Moment
    let account: AccountID

    static func < (one: Expiry, other: Expiry) -> Bool {
        (one.moment, one.account) < (other.moment, other.account)
    }
}

extension AccountID {
    /// A key that is greater than every key in use.
    static let last = AccountID(.max)
}

extension Snapshot {
    /// The snapshot of a later revision. Its cost depends on the size of the change.
    package func applying(_ change: SnapshotChange) -> Snapshot {
        var tables = self.tables
        for (id, user) in change.users { tables.set(user, id: id) }
        for (id, name) in change.groups {
            tables.groups[id] = name
            if name == nil { tables.memberships.remove(id) }
        }
        for (group, members) in change.members where tables.groups[group] != nil {
            for (member, isMember) in members {
                tables.memberships.set(member, in: group, isMember: isMember)
            }
        }
        // An address may move from one account to another: remove all before adding any.
        for id in change.accounts.keys { tables.removeAddresses(of: id) }
        for (id, account) in change.accounts { tables.set(account, id: id) }
        for (account, grants) in change.grants { tables.set(grants, on: account) }
        for (account, withdrawals) in change.withdrawals {
            tables.withdrawals[account] = withdrawals.isEmpty ? nil : withdrawals
        }
        for (account, walls) in change.walls { tables.walls[account] = walls.isEmpty ? nil : walls }
        return Snapshot(revision: change.revision, tables: tables, isSharing: true)
    }
}

extension Snapshot.Tables {
    fileprivate mutating func set(_ user: User?, id: UserID) {
        if let before = self.users[id], self.logins[before.login] == id {
            self.logins[before.login] = nil
        }
        self.users[id] = user
        if let user { self.logins[user.login] = id }
    }

    fileprivate mutating func removeAddresses(of id: AccountID) {
        for address in self.accounts[id]?.addresses ?? [] where self.addresses[address] == id {
            self.addresses[address] = nil
        }
    }

    fileprivate mutating func set(_ account: Account?, id: AccountID) {
        let owner = self.accounts[id]?.owner
        if owner != account?.owner {
            if let owner, var owned = self.accountsByOwner[owner] {
                owned.remove(id)
                self.accountsByOwner[owner] = owned.isEmpty ? nil : owned
            }
            if let owner = account?.owner {
                self.accountsByOwner[owner, default: .init()].insert(id)
            }
        }
        self.accounts[id] = account
        for address in account?.addresses ?? [] { self.addresses[address] = id }
    }

    fileprivate mutating func set(_ grants: [Int64: Grant?], on account: AccountID) {
        var list = self.grants[account] ?? .init()
        // Removed from the table, the list has one owner and is changed in place.
        self.grants[account] = nil
        var subjects: Set<Subject> = []
        for (id, grant) in grants {
            if let removed = list.remove(id) { subjects.insert(removed.subject) }
            guard let grant else { continue }
            list.insert(grant)
            subjects.insert(grant.subject)
            if let expiry = grant.expiry { self.expiries.insert(expiry) }
        }
        for subject in subjects {
            var accounts = self.accountsBySubject[subject] ?? .init()
            if list.names(subject) { accounts.insert(account) } else { accounts.remove(account) }
            self.accountsBySubject[subject] = accounts.isEmpty ? nil : accounts
        }
        if list.count > 0 { self.grants[account] = list }
    }
}

extension Grant {
    /// When it ends; nil for never.
    var expiry: Expiry? {
        self.until.map { Expiry(moment: $0, account: self.account) }
    }
}
