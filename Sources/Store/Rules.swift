import Access
import GRDB

/// The rules that an edit is decided by. SQL loads the rows concerned, and nothing here decides: `Access` does.
///
/// What is loaded is bounded by what the edit is about: some accounts, and the subjects that it names with the
/// groups that contain them. A store has far more of both.
extension PermissionStore {
    /// Some accounts with their owners, and every rule on them that is about some subjects.
    /// - Parameters:
    ///   - accounts: keys of the accounts.
    ///   - subjects: those whose rules count, with the rules of the groups that contain them.
    static func rules(
        _ database: Database,
        on accounts: some Collection<Int64>,
        about subjects: Set<Subject>
    ) throws -> Snapshot {
        let groups = try self.loadGroups(database, above: subjects)
        let named = subjects.union(groups.map { .group($0.id) })
        let filter = RowFilter("account", in: accounts).and(RowFilter(naming: named))
        let (loaded, _) = try self.loadAccounts(
            database,
            where: RowFilter("account.id", in: accounts)
        )
        let owners = loaded.compactMap { $0.owner?.rawValue }
        let users = Set(subjects.compactMap(\.userKey) + owners)
        return Snapshot(
            revision: try self.revision(database),
            users: try self.loadUsers(database, where: RowFilter("id", in: users)),
            groups: groups,
            accounts: loaded,
            grants: try self.loadGrants(database, where: filter),
            withdrawals: try self.loadWithdrawals(database, where: filter),
            walls: try self.loadWalls(database, where: filter)
        )
    }

    /// What removing a subject is decided by: the accounts that it owns, and those whose withdrawals and walls
    /// name it.
    static func rules(_ database: Database, keepingOut subject: Subject) throws -> Snapshot {
        let accounts = try Int64.fetchAll(
            database,
            sql: """
                SELECT account FROM withdrawal WHERE user IS :user AND "group" IS :group
                UNION SELECT account FROM wall WHERE user IS :user AND "group" IS :group
                UNION SELECT id FROM account WHERE owner = :user
                """,
            arguments: ["user": subject.userKey, "group": subject.groupKey]
        )
        return try self.rules(database, on: accounts, about: [subject])
    }

    /// What an owner's decisions are about: the accounts that the owner has, with the grants there that wait.
    static func rules(_ database: Database, awaiting owner: Int64) throws -> Snapshot {
        let accounts = try Int64.fetchAll(
            database,
            sql: "SELECT id FROM account WHERE owner = ?",
            arguments: [owner]
        )
        let filter = RowFilter("account", in: accounts).and("confirmed = 0")
        return Snapshot(
            revision: try self.revision(database),
            users: try self.loadUsers(database, where: RowFilter("id", in: [owner])),
            groups: [],
            accounts: try self.loadAccounts(database, where: RowFilter("account.id", in: accounts))
                .0,
            grants: try self.loadGrants(database, where: filter),
            withdrawals: [],
            walls: []
        )
    }

    // MARK: - Groups

    /// These groups, and every group that contains one of these subjects; of each, the members on the way.
    static func loadGroups(_ database: Database, above subjects: Set<Subject>) throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        for group in subjects.compactMap(\.groupKey) { members[group] = [] }
        var waiting = Set(members.keys)
        var filter = RowFilter("user", in: subjects.compactMap(\.userKey))
        while true {
            for row in try filter.rows(database, of: "SELECT \"group\", user, inner FROM member") {
                let group: Int64 = row["group"]
                if members[group] == nil { waiting.insert(group) }
                members[group, default: []].append(self.subject(row, group: "inner"))
            }
            guard !waiting.isEmpty else { break }
            filter = RowFilter("inner", in: waiting)
            waiting = []
        }
        return try RowFilter("id", in: members.keys)
            .rows(database, of: "SELECT id, name FROM \"group\"").map { row in
                Group(id: GroupID(row["id"]), name: row["name"], members: members[row["id"]] ?? [])
            }
    }
}
