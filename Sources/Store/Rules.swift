import Access

/// The rules that an edit is decided by. SQL loads the rows concerned, and nothing here decides: `Access` does.
///
/// What is loaded is bounded by what the edit is about: some accounts, and the subjects that it names with the
/// groups that contain them. A store has far more of both.
extension PermissionStore {
    // MARK: - Groups
}

/// The same within a transaction.
extension StoreTransaction {
    /// Some accounts with their owners, and every rule on them that is about some subjects.
    /// - Parameters:
    ///   - accounts: keys of the accounts.
    ///   - subjects: those whose rules count, with the rules of the groups that contain them.
    func rules(
        on accounts: some Collection<Int64>,
        about subjects: Set<Subject>
    ) throws -> Snapshot {
        let groups = try self.loadGroups(above: subjects)
        let named = subjects.union(groups.map { .group($0.id) })
        let filter = RowFilter("account", in: accounts).and(RowFilter(naming: named))
        let (loaded, _) = try self.loadAccounts(where: RowFilter("account.id", in: accounts))
        let owners = loaded.compactMap { $0.owner?.rawValue }
        let users = Set(subjects.compactMap(\.userKey) + owners)
        return Snapshot(
            revision: try self.revision(),
            users: try self.loadUsers(where: RowFilter("id", in: users)),
            groups: groups,
            accounts: loaded,
            grants: try self.loadGrants(where: filter),
            withdrawals: try self.loadWithdrawals(where: filter),
            walls: try self.loadWalls(where: filter)
        )
    }

    /// What removing a subject is decided by: the accounts that it owns, and those whose withdrawals and walls
    /// name it.
    func rules(keepingOut subject: Subject) throws -> Snapshot {
        let accounts = try self.values(
            of: Int64.self,
            sql: """
                SELECT account FROM withdrawal WHERE user IS :user AND "group" IS :group
                UNION SELECT account FROM wall WHERE user IS :user AND "group" IS :group
                UNION SELECT id FROM account WHERE owner = :user
                """,
            arguments: ["user": subject.userKey, "group": subject.groupKey]
        )
        return try self.rules(on: accounts, about: [subject])
    }

    /// What an owner's decisions are about: the accounts that the owner has, with the grants there that wait.
    func rules(awaiting owner: Int64) throws -> Snapshot {
        let accounts = try self.values(
            of: Int64.self,
            sql: "SELECT id FROM account WHERE owner = ?",
            arguments: [owner]
        )
        let filter = RowFilter("account", in: accounts).and("confirmed = 0")
        return Snapshot(
            revision: try self.revision(),
            users: try self.loadUsers(where: RowFilter("id", in: [owner])),
            groups: [],
            accounts: try self.loadAccounts(where: RowFilter("account.id", in: accounts))
                .0,
            grants: try self.loadGrants(where: filter),
            withdrawals: [],
            walls: []
        )
    }

    /// These groups, and every group that contains one of these subjects; of each, the members on the way.
    func loadGroups(above subjects: Set<Subject>) throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        for group in subjects.compactMap(\.groupKey) { members[group] = [] }
        var waiting = Set(members.keys)
        var filter = RowFilter("user", in: subjects.compactMap(\.userKey))
        while true {
            for row in try filter.rows(self, of: "SELECT \"group\", user, inner FROM member") {
                let group: Int64 = row["group"]
                if members[group] == nil { waiting.insert(group) }
                members[group, default: []].append(Self.subject(row, group: "inner"))
            }
            guard !waiting.isEmpty else { break }
            filter = RowFilter("inner", in: waiting)
            waiting = []
        }
        return try RowFilter("id", in: members.keys)
            .rows(self, of: "SELECT id, name FROM \"group\"").map { row in
                Group(id: GroupID(row["id"]), name: row["name"], members: members[row["id"]] ?? [])
            }
    }
}
