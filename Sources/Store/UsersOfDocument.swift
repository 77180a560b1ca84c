import Access

/// The users and groups of a document.
extension StoreTransaction {
    /// Adds, changes and removes users. Operating-system names are assigned last, because two
    /// users may exchange theirs.
    /// - Throws: ``StoreError`` for a login that occurs twice, an unknown role, an invalid
    ///   login, and for the removal of a user whom a withdrawal or a wall keeps out.
    func apply(users: [UserRow], before: [UserRow]) throws {
        let present = Dictionary(before.map { (ExactText($0.login), $0) }) { first, _ in first }
        var kept: Set<ExactText> = []
        var changed: [UserRow] = []
        for user in users {
            let login = try Self.login(user.login).description
            guard kept.insert(ExactText(login)).inserted else {
                throw StoreError.refused("user \(login) occurs twice in the document: remove one")
            }
            guard user.role == nil || ["administrator", "settings"].contains(user.role) else {
                throw StoreError.refused(
                    "the role of \(login) must be administrator, settings or null"
                )
            }
            // The command line removes the name with this word.
            guard user.osUser != Self.noOSUser else {
                throw StoreError.refused("osUser of \(login): write null for none")
            }
            guard present[ExactText(user.login)]?.isSame(as: user) != true else { continue }
            changed.append(user)
            try self.execute(
                sql: """
                    INSERT INTO user (login, name, disabled) VALUES (?, ?, ?)
                    ON CONFLICT (login) DO UPDATE SET
                    name = excluded.name, disabled = excluded.disabled, role = NULL, osUser = NULL
                    """,
                arguments: [login, user.name, user.disabled]
            )
        }
        for row in try self.rows(sql: "SELECT id, login FROM user")
        where !kept.contains(ExactText(row["login"])) {
            let id: Int64 = row["id"]
            try self.requireNotKeptOut(.user(UserID(id)), name: row["login"])
            try self.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
        }
        // Operating-system names are unique, and users may exchange theirs: those that change
        // were cleared above.
        for user in changed where user.role != nil || user.osUser != nil {
            let id = try self.userID(login: user.login)
            let role = user.role.flatMap(Role.init)
            try self.writeRole(role, osUser: user.osUser, of: id)
        }
    }

    /// Adds and removes groups and memberships.
    /// - Throws: ``StoreError`` for a name that occurs twice, an invalid name, an unknown
    ///   member, a cycle, and for the removal of a group that a withdrawal or a wall keeps out.
    func apply(groups: [GroupRow]) throws {
        let names = groups.map { ExactText($0.name) }
        try Self.requireDistinct("groups", keys: names.map { [$0] }) { "group:\(groups[$0].name)" }
        let kept = Set(names)
        var ids: [ExactText: Int64] = [:]
        for row in try self.rows(sql: "SELECT id, name FROM \"group\"") {
            let (id, name): (Int64, String) = (row["id"], row["name"])
            guard !kept.contains(ExactText(name)) else {
                ids[ExactText(name)] = id
                continue
            }
            try self.requireNotKeptOut(.group(GroupID(id)), name: "group:\(name)")
            try self.execute(sql: "DELETE FROM \"group\" WHERE id = ?", arguments: [id])
        }
        for name in names.sorted() where ids[name] == nil {
            try Self.requireGroupName(name.text)
            try self.execute(
                sql: "INSERT INTO \"group\" (name) VALUES (?)",
                arguments: [name.text]
            )
            ids[name] = try self.insertedKey()
        }
        let directory = try self.directoryFilters()
        for group in groups {
            guard let id = ids[ExactText(group.name)],
                group.ldap.map(ExactText.init) != directory[id].map(ExactText.init)
            else { continue }
            try self.setDirectory(group.ldap, of: id)
        }
        // The members of a group of the directory are read again: a document has old ones.
        let own = groups.filter { group in
            group.ldap == nil || ids[ExactText(group.name)].flatMap { directory[$0] } == nil
        }
        try self.applyMembers(of: own, ids: ids)
    }

    /// Adds and removes memberships. Removals come first: a group may move from one group into
    /// another.
    /// - Parameter ids: The keys of the groups by their names.
    private func applyMembers(of groups: [GroupRow], ids: [ExactText: Int64]) throws {
        var present: [Int64: Set<Subject>] = [:]
        for row in try self.rows(sql: "SELECT \"group\", user, inner FROM member") {
            present[row["group"], default: []].insert(Self.subject(row, group: "inner"))
        }
        let index = try DocumentNames(self)
        let wanted = try groups.map { group in
            try group.members.map { (name: $0, key: try index.subject($0, transaction: self)) }
        }
        for (group, members) in zip(groups, wanted) {
            guard let id = ids[ExactText(group.name)] else { continue }
            for subject in (present[id] ?? []).subtracting(members.map(\.key)) {
                let filter = RowFilter("\"group\" = ?", arguments: [id])
                    .and(RowFilter(subject: subject, group: "inner"))
                try self.execute(
                    sql: "DELETE FROM member \(filter.clause)",
                    arguments: filter.arguments
                )
            }
        }
        for (group, members) in zip(groups, wanted) {
            guard let id = ids[ExactText(group.name)] else { continue }
            let known = present[id] ?? []
            for member in members where !known.contains(member.key) {
                try self.insert(member.name, into: id, name: group.name)
            }
        }
    }
}
