import Access

/// Loading of the rules that decide an edit. SQL only selects the rows; `Access` decides.
///
/// The rows are limited to what the edit concerns: some accounts, and the subjects that it
/// names with the groups that contain them. A store may have far more of both.
extension StoreTransaction {
    /// Some accounts with their owners, and every rule on them for some subjects.
    /// - Parameters:
    ///   - accounts: The keys of the accounts.
    ///   - subjects: The subjects whose rules apply. Rules of the groups that contain them are
    ///     included.
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

    /// The rules that decide whether a subject may be removed: the accounts that it owns, and
    /// those with a withdrawal or a wall against it.
    func rules(keepingOut subject: Subject) throws -> Snapshot {
        let filter = RowFilter(subject: subject)
        let owned = RowFilter("owner", in: [subject.userKey].compactMap { $0 })
        let accounts = try self.values(
            of: Int64.self,
            sql: """
                SELECT account FROM withdrawal \(filter.clause)
                UNION SELECT account FROM wall \(filter.clause)
                UNION SELECT id FROM account \(owned.clause)
                """,
            arguments: filter.arguments + filter.arguments + owned.arguments
        )
        return try self.rules(on: accounts, about: [subject])
    }

    /// The accounts of an owner with the grants that wait for confirmation. Groups, withdrawals
    /// and walls are not loaded.
    /// - Parameter owner: The key of the owner's row.
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

    /// The groups among these subjects, and every group that contains one of them, directly or
    /// through other groups. Of each group only the members that lead to these subjects are
    /// loaded. Terminates on a cycle, because each group is followed once.
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
