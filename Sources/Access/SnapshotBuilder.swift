/// The tables of a snapshot while rows are read into them.
///
/// The rows of a large store need not be in memory beside the tables: pass them one at a time.
package struct SnapshotBuilder: ~Copyable {
    private var tables = Snapshot.Tables()
    /// The times at which grants end, in no order.
    private var expiries: [Expiry] = []

    /// Creates empty tables.
    package init() {}

    /// Adds a user, whose key must be new.
    package mutating func insert(_ user: User) {
        self.tables.users[user.id] = user
        // Two users with one login are a damaged store: the first one counts.
        if self.tables.logins[user.login] == nil { self.tables.logins[user.login] = user.id }
    }

    /// Adds all groups at once.
    package mutating func setGroups(_ groups: [Group]) {
        self.tables.groups = PersistentTable(groups.map { ($0.id, $0.name) })
        self.tables.memberships = GroupMemberships(groups)
    }

    /// Adds an account, whose key must be new.
    package mutating func insert(_ account: Account) {
        self.tables.accounts[account.id] = account
        for address in account.addresses where self.tables.addresses[address] == nil {
            self.tables.addresses[address] = account.id
        }
        guard let owner = account.owner else { return }
        self.tables.accountsByOwner[owner, default: .init()].insert(account.id)
    }

    /// Sets all grants on an account. Accounts in ascending order take the least time, because the
    /// keys of a subject's accounts are sorted.
    package mutating func set(_ grants: [Grant], on account: AccountID) {
        guard !grants.isEmpty else { return }
        self.tables.grants[account] = GrantList(grants)
        for grant in grants {
            self.tables.accountsBySubject[grant.subject, default: .init()].insert(account)
            if let expiry = grant.expiry { self.expiries.append(expiry) }
        }
    }

    /// Sets the withdrawals and walls of every account.
    package mutating func set(withdrawals: [Withdrawal], walls: [Wall]) {
        self.tables.withdrawals = PersistentTable(
            Dictionary(grouping: withdrawals, by: \.account).map { ($0.key, $0.value) }
        )
        self.tables.walls = PersistentTable(
            Dictionary(grouping: walls, by: \.account).map { ($0.key, $0.value) }
        )
    }

    /// The tables; the builder is used up.
    consuming func finished() -> Snapshot.Tables {
        self.tables.expiries = SortedKeys(self.expiries)
        return self.tables
    }
}

extension Snapshot {
    /// - Parameter users: the users, like the groups and accounts, with different keys.
    package convenience init(
        revision: Int64,
        users: [User],
        groups: [Group],
        accounts: [Account],
        grants: [Grant],
        withdrawals: [Withdrawal],
        walls: [Wall]
    ) {
        var builder = SnapshotBuilder()
        for user in users { builder.insert(user) }
        builder.setGroups(groups)
        for account in accounts { builder.insert(account) }
        let byAccount = Dictionary(grouping: grants, by: \.account)
        for account in byAccount.keys.sorted() {
            builder.set(byAccount[account] ?? [], on: account)
        }
        builder.set(withdrawals: withdrawals, walls: walls)
        self.init(revision: revision, tables: builder.finished(), isSharing: true)
    }

    /// The snapshot of what a builder received.
    package convenience init(revision: Int64, builder: consuming SnapshotBuilder) {
        self.init(revision: revision, tables: builder.finished(), isSharing: true)
    }
}
