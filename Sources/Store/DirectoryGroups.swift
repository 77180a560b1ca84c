package import Access

/// Groups whose members come from the directory. Only a reading changes their members.
extension PermissionStore {
    /// One group, with what is known of its reading.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown group.
    package func groupDetails(_ name: String) throws -> GroupDetails {
        try self.read { transaction in
            let id = try transaction.groupID(name: name)
            let row = try transaction.groupRows(where: RowFilter("g.id = ?", arguments: [id])).first
            return GroupDetails(
                name: name,
                members: row?.members ?? [],
                directory: try transaction.directoryStates(
                    where: RowFilter("directoryGroup.\"group\" = ?", arguments: [id])
                ).first?.state
            )
        }
    }

    /// The groups of the directory with their states, sorted by name.
    package func directoryGroups() throws -> [(name: String, state: DirectoryGroupState)] {
        try self.read { try $0.directoryStates() }
    }

    /// The groups that nobody tried to read within an interval, which the caller reads now. Of several
    /// nodes, one gets each of them.
    /// - Parameter seconds: The interval.
    package func claimDirectoryGroups(
        every seconds: Int64,
        at now: Moment
    ) throws -> [DirectoryGroup] {
        // A time in the future was written before the clock was set back.
        let due = RowFilter(
            "(tried IS NULL OR tried <= ? OR tried > ?)",
            arguments: [now.seconds - seconds, now.seconds + seconds]
        )
        guard try !self.read({ try $0.directoryGroups(where: due) }).isEmpty else { return [] }
        return try self.write(locking: .model) { transaction in
            let groups = try transaction.directoryGroups(where: due)
            try transaction.execute(
                sql: "UPDATE directoryGroup SET tried = ? \(due.clause)",
                arguments: [now.seconds] + due.arguments
            )
            return groups
        }
    }

    /// Makes the people whom the directory has in a group the group's members: users with one of
    /// their logins. Without a change, the revision stays as it is, and the audit log gets no record.
    /// - Parameters:
    ///   - actor: The recorded name of who reads them; see ``Actor/recorded``.
    ///   - from: Where that is.
    /// - Throws: ``StoreError`` if the group is gone or has another filter now.
    package func setMembers(
        of group: DirectoryGroup,
        to people: DirectoryGroupPeople,
        actor: String,
        from: String = "command line"
    ) throws -> DirectoryGroupChange {
        let change = try self.read { try $0.change(of: group, to: people).change }
        if change.isEmpty {
            return try self.write(locking: .model) { transaction in
                try transaction.recordReading(of: group, unknown: change.unknown, people: people)
                return change
            }
        }
        let what = "group refresh \(group.name)"
        return try self.edit(Edit(actor: actor, from: from, action: what)) { change in
            change.joined.map { "joined \($0)" } + change.left.map { "left \($0)" }
        } body: { transaction in
            let (id, change, joined, left) = try transaction.change(of: group, to: people)
            for subject in left {
                let filter = RowFilter("\"group\" = ?", arguments: [id])
                    .and(RowFilter(subject: subject, group: "inner"))
                try transaction.execute(
                    sql: "DELETE FROM member \(filter.clause)",
                    arguments: filter.arguments
                )
            }
            for user in joined {
                try transaction.execute(
                    sql: "INSERT INTO member (\"group\", user) VALUES (?, ?)",
                    arguments: [id, user]
                )
            }
            try transaction.recordReading(of: group, unknown: change.unknown, people: people)
            return change
        }
    }

    /// Records that the members of a group could not be read. They stay as they are.
    /// - Parameter reason: A text for administrators.
    package func readingFailed(
        of group: DirectoryGroup,
        reason: String,
        at now: Moment
    ) throws {
        try self.write(locking: .model) { transaction in
            try transaction.execute(
                sql: """
                    UPDATE directoryGroup SET tried = ?, failure = ? WHERE filter = ?
                    AND "group" = (SELECT id FROM "group" WHERE name = ?)
                    """,
                arguments: [now.seconds, reason, group.filter, group.name]
            )
        }
    }
}

/// Groups of the directory inside a transaction.
extension StoreTransaction {
    /// Sets where the members of a group come from. They stay until the directory is read.
    /// - Parameter filter: Nil for a group with members of its own.
    /// - Throws: ``StoreError`` for a text that is no filter at first sight. The directory decides about
    ///   the rest.
    func setDirectory(_ filter: String?, of group: Int64) throws {
        if let filter {
            guard filter.hasPrefix("("), filter.hasSuffix(")"), filter.utf8.count <= 4_096,
                filter.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else {
                throw StoreError.refused(
                    "ldap of a group must be a filter in parentheses, such as (cn=Sekretariat)"
                )
            }
        }
        try self.execute(
            sql: "DELETE FROM directoryGroup WHERE \"group\" = ?",
            arguments: [group]
        )
        guard let filter else { return }
        try self.execute(
            sql: "INSERT INTO directoryGroup (\"group\", filter) VALUES (?, ?)",
            arguments: [group, filter]
        )
    }

    /// The filters of the groups of the directory.
    func directoryFilters() throws -> [Int64: String] {
        var filters: [Int64: String] = [:]
        for row in try self.rows(sql: "SELECT \"group\", filter FROM directoryGroup") {
            filters[row["group"]] = row["filter"] as String
        }
        return filters
    }

    /// The key of a group whose members the administrator chooses.
    /// - Throws: ``StoreError`` for an unknown group, and for one of the directory.
    func ownGroupID(name: String) throws -> Int64 {
        let id = try self.groupID(name: name)
        guard try self.directoryFilters()[id] == nil else {
            throw StoreError.refused(
                "the members of \(name) come from the directory: change them there, then "
                    + "gatepost group refresh \(name)"
            )
        }
        return id
    }

    /// The groups of the directory, sorted by name.
    fileprivate func directoryGroups(where filter: RowFilter) throws -> [DirectoryGroup] {
        var groups: [DirectoryGroup] = []
        try filter.forEach(
            self,
            of: """
                SELECT name, filter FROM directoryGroup
                JOIN "group" AS g ON g.id = directoryGroup."group"
                """,
            order: "ORDER BY name"
        ) { groups.append(DirectoryGroup(name: $0[0], filter: $0[1])) }
        return groups
    }

    /// The states of groups of the directory, sorted by name.
    fileprivate func directoryStates(
        where filter: RowFilter = .all
    ) throws -> [(name: String, state: DirectoryGroupState)] {
        var unknown: [Int64: [String]] = [:]
        try filter.forEach(
            self,
            of: """
                SELECT directoryGroup."group", directoryUnknown.name FROM directoryGroup
                JOIN directoryUnknown ON directoryUnknown."group" = directoryGroup."group"
                """,
            order: "ORDER BY 2"
        ) { unknown[$0[0], default: []].append($0[1]) }
        var states: [(name: String, state: DirectoryGroupState)] = []
        try filter.forEach(
            self,
            of: """
                SELECT name, filter, tried, read, failure, g.id FROM directoryGroup
                JOIN "group" AS g ON g.id = directoryGroup."group"
                """,
            order: "ORDER BY name"
        ) { row in
            let state = DirectoryGroupState(
                filter: row[1],
                tried: row[2],
                read: row[3],
                failure: row[4],
                unknown: unknown[row[5]] ?? []
            )
            states.append((row[0], state))
        }
        return states
    }

    /// What the people of the directory change in a group.
    fileprivate func change(
        of group: DirectoryGroup,
        to people: DirectoryGroupPeople
    ) throws -> (id: Int64, change: DirectoryGroupChange, joined: [Int64], left: [Subject]) {
        let id = try self.groupID(name: group.name)
        guard try self.directoryFilters()[id].map(ExactText.init) == ExactText(group.filter) else {
            throw StoreError.refused("\(group.name) has another filter now: read it again")
        }
        var present: [Subject: String] = [:]
        for row in try self.rows(
            sql: """
                SELECT member.user, inner, coalesce(users.login, 'group:' || inside.name) AS name
                FROM member LEFT JOIN user AS users ON users.id = member.user
                LEFT JOIN "group" AS inside ON inside.id = member.inner
                WHERE member."group" = ?
                """,
            arguments: [id]
        ) {
            present[Self.subject(row, group: "inner")] = row["name"] as String
        }
        var change = DirectoryGroupChange(unknown: people.unresolved)
        var wanted: [Subject: String] = [:]
        let keys = try self.users(named: people.logins.joined())
        for logins in people.logins {
            let users = logins.compactMap { text in keys[ExactText(text)] }
            if users.isEmpty { change.unknown += logins.prefix(1) }
            for (key, login) in users { wanted[.user(UserID(key))] = login }
        }
        change.unknown = Set(change.unknown.map(ExactText.init)).map(\.text).sorted()
        let joined = wanted.filter { present[$0.key] == nil }
        let left = present.filter { wanted[$0.key] == nil }
        change.joined = joined.values.sorted()
        change.left = left.values.sorted()
        return (id, change, joined.keys.compactMap(\.userKey).sorted(), Array(left.keys))
    }

    /// The most logins that are looked up one by one: each is a round trip to a database.
    private static let fewLogins = 100

    /// The users whose logins a directory has, by the directory's spelling.
    private func users(
        named texts: some Sequence<String>
    ) throws -> [ExactText: (key: Int64, login: String)] {
        let logins = Dictionary(
            texts.compactMap { text in
                (try? PermissionStore.address(text)).map { (ExactText(text), $0.description) }
            }
        ) { first, _ in first }
        var keys: [String: Int64] = [:]
        if logins.count > Self.fewLogins {
            for row in try self.rows(sql: "SELECT id, login FROM user") {
                keys[row["login"]] = row["id"] as Int64
            }
        } else {
            for login in Set(logins.values) {
                keys[login] = try self.value(
                    of: Int64.self,
                    sql: "SELECT id FROM user WHERE login = ?",
                    arguments: [login]
                )
            }
        }
        return logins.compactMapValues { login in keys[login].map { ($0, login) } }
    }

    /// Records a reading, and who in the directory is no user here.
    fileprivate func recordReading(
        of group: DirectoryGroup,
        unknown: [String],
        people: DirectoryGroupPeople
    ) throws {
        let id = try self.groupID(name: group.name)
        try self.execute(
            sql: """
                UPDATE directoryGroup SET tried = ?, read = ?, failure = NULL WHERE "group" = ?
                """,
            arguments: [people.moment.seconds, people.moment.seconds, id]
        )
        let known = try self.rows(
            sql: "SELECT name FROM directoryUnknown WHERE \"group\" = ?",
            arguments: [id]
        ).map { $0["name"] as String }
        guard Set(known.map(ExactText.init)) != Set(unknown.map(ExactText.init)) else { return }
        try self.execute(
            sql: "DELETE FROM directoryUnknown WHERE \"group\" = ?",
            arguments: [id]
        )
        for name in Set(unknown.map(ExactText.init)) {
            try self.execute(
                sql: "INSERT INTO directoryUnknown (\"group\", name) VALUES (?, ?)",
                arguments: [id, name.text]
            )
        }
    }
}
