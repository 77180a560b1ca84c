import Access
import Cryptography
import Foundation

/// The keys of the rows that changed since a revision, from the table `rowChange`.
///
/// Triggers write that table, so that no edit can forget it. A row that is named and did not change
/// costs a lookup, and nothing else.
struct ChangedRows {
    var users: Set<Int64> = []
    var groups: Set<Int64> = []
    var accounts: Set<Int64> = []
    /// The changed members of each group.
    var members: [Int64: Set<Subject>] = [:]
    /// The changed grants of each account.
    var grants: [Int64: Set<Int64>] = [:]
    /// The accounts with changed withdrawals.
    var withdrawals: Set<Int64> = []
    /// The accounts with changed walls.
    var walls: Set<Int64> = []

    /// Adds a row of `rowChange`.
    /// - Returns: False for a kind that is unknown, or names more than single rows.
    fileprivate mutating func insert(kind: String, container: Int64, key: Int64) -> Bool {
        switch kind {
        case "user": self.users.insert(key)
        case "group": self.groups.insert(key)
        case "account": self.accounts.insert(key)
        case "memberUser": self.members[container, default: []].insert(.user(UserID(key)))
        case "memberGroup": self.members[container, default: []].insert(.group(GroupID(key)))
        case "grant": self.grants[container, default: []].insert(key)
        case "withdrawal": self.withdrawals.insert(key)
        case "wall": self.walls.insert(key)
        default: return false
        }
        return true
    }
}

extension StoreTransaction {
    /// The number of revisions whose changes are kept. A gateway looks five times a second, so
    /// that it is behind by a few.
    static let keptRevisions: Int64 = 1_000
    /// The number of changed rows from which on reading the whole store is faster.
    static let maximumChangedRows = 20_000

    /// Completes the record of changes before a commit: the revision was incremented to the one
    /// that the commit makes.
    func finishRowChanges() throws {
        let revision = try self.revision()
        try self.execute(
            sql: "INSERT INTO revisionToken (revision, token) VALUES (?, ?)",
            arguments: [revision, Data(Random.octets(count: 16))]
        )
        let count = try self.value(
            of: Int.self,
            sql: "SELECT count(*) FROM rowChange WHERE revision = ?",
            arguments: [revision]
        )
        if count ?? 0 > Self.maximumChangedRows {
            try self.execute(
                sql: "DELETE FROM rowChange WHERE revision = ?",
                arguments: [revision]
            )
            try self.execute(
                sql:
                    "INSERT INTO rowChange (revision, kind, container, key) VALUES (?, 'all', 0, 0)",
                arguments: [revision]
            )
        }
        try self.execute(
            sql: "DELETE FROM rowChange WHERE revision <= ?",
            arguments: [revision - Self.keptRevisions]
        )
    }

    /// The rows that changed since a revision.
    /// - Returns: Nil if they are not known, or too many: then read the whole store.
    func changedRows(since revision: Int64) throws -> ChangedRows? {
        let current = try self.revision()
        guard revision <= current, revision >= current - Self.keptRevisions,
            revision >= (try self.value(of: Int64.self, sql: "SELECT first FROM rowChangeStart"))
                ?? .max
        else { return nil }
        let rows = try self.rows(
            sql: "SELECT kind, container, key FROM rowChange WHERE revision > ? LIMIT ?",
            arguments: [revision, Self.maximumChangedRows + 1]
        )
        guard rows.count <= Self.maximumChangedRows else { return nil }
        var changed = ChangedRows()
        for row in rows {
            guard
                changed.insert(kind: row["kind"], container: row["container"], key: row["key"])
            else { return nil }
        }
        return changed
    }

    /// The snapshot of the current revision, derived from an earlier one of the same file.
    /// - Returns: Nil if the changes since then are not known; see ``changedRows(since:)``.
    func snapshot(after known: StoreSnapshot) throws -> StoreSnapshot? {
        guard let changed = try self.changedRows(since: known.access.revision) else { return nil }
        var change = SnapshotChange(revision: try self.revision())
        let passwords = try self.read(changed.users, into: &change)
        try self.read(groups: changed.groups, members: changed.members, into: &change)
        let endpoints = try self.read(accounts: changed.accounts, into: &change)
        try self.read(rulesOf: changed, into: &change)
        let appPasswords =
            try changed.users.isEmpty
            ? [:] : self.appPasswordRecords(where: RowFilter("user", in: changed.users))
        return known.applying(
            change,
            passwords: passwords,
            appPasswords: appPasswords,
            endpoints: endpoints
        )
    }

    /// Reads users.
    /// - Returns: Their passwords.
    private func read(
        _ users: Set<Int64>,
        into change: inout SnapshotChange
    ) throws -> [UserID: PasswordRecord] {
        guard !users.isEmpty else { return [:] }
        let filter = RowFilter("id", in: users)
        for id in users { change.users.updateValue(nil, forKey: UserID(id)) }
        for user in try self.loadUsers(where: filter) { change.users[user.id] = user }
        return try self.passwords(where: filter)
    }

    /// Reads the names of groups, and which of the changed members they have.
    private func read(
        groups: Set<Int64>,
        members: [Int64: Set<Subject>],
        into change: inout SnapshotChange
    ) throws {
        if !groups.isEmpty {
            for id in groups { change.groups.updateValue(nil, forKey: GroupID(id)) }
            let rows = try RowFilter("id", in: groups).rows(
                self,
                of: "SELECT id, name FROM \"group\""
            )
            for row in rows { change.groups[GroupID(row["id"])] = row["name"] as String }
        }
        for (group, subjects) in members {
            change.members[GroupID(group)] = Dictionary(subjects.map { ($0, false) }) { one, _ in
                one
            }
        }
        let subjects = members.values.reduce(into: Set<Subject>()) { $0.formUnion($1) }
        // One query for all groups also finds members that did not change; those are left out.
        for (column, keys) in [
            ("user", subjects.compactMap(\.userKey)), ("inner", subjects.compactMap(\.groupKey)),
        ] where !keys.isEmpty {
            let filter = RowFilter("\"group\"", in: members.keys).and(RowFilter(column, in: keys))
            for row in try filter.rows(self, of: "SELECT \"group\", user, inner FROM member") {
                let (group, member) = (GroupID(row["group"]), Self.subject(row, group: "inner"))
                guard change.members[group]?[member] != nil else { continue }
                change.members[group]?[member] = true
            }
        }
    }

    /// Reads accounts with their addresses.
    /// - Returns: Their servers and sealed credentials.
    private func read(
        accounts: Set<Int64>,
        into change: inout SnapshotChange
    ) throws -> [AccountID: UpstreamAccount] {
        guard !accounts.isEmpty else { return [:] }
        for id in accounts { change.accounts.updateValue(nil, forKey: AccountID(id)) }
        let filter = RowFilter("account.id", in: accounts)
        let (loaded, endpoints) = try self.loadAccounts(where: filter)
        for account in loaded { change.accounts[account.id] = account }
        return endpoints
    }

    /// Reads the changed grants, and all withdrawals and walls of the accounts where one changed.
    private func read(rulesOf changed: ChangedRows, into change: inout SnapshotChange) throws {
        for (account, ids) in changed.grants {
            for id in ids {
                change.grants[AccountID(account), default: [:]].updateValue(nil, forKey: id)
            }
        }
        let ids = changed.grants.values.reduce(into: Set<Int64>()) { $0.formUnion($1) }
        for grant in try self.loadGrants(where: RowFilter("id", in: ids)) {
            change.grants[grant.account]?[grant.id] = grant
        }
        for account in changed.withdrawals { change.withdrawals[AccountID(account)] = [] }
        for rule in try self.loadWithdrawals(where: RowFilter("account", in: changed.withdrawals)) {
            change.withdrawals[rule.account]?.append(rule)
        }
        for account in changed.walls { change.walls[AccountID(account)] = [] }
        for rule in try self.loadWalls(where: RowFilter("account", in: changed.walls)) {
            change.walls[rule.account]?.append(rule)
        }
    }
}
