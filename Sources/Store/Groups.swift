import Access

/// Groups and their members: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Adds a group without members.
    /// - Parameters:
    ///   - name: 1 to 200 octets, compared octet for octet.
    ///   - filter: The filter (RFC 4515) of the directory's groups whose members it gets; nil for
    ///     a group with members of its own.
    ///   - actor: The recorded name of who adds it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an invalid name, and for a group that exists.
    package func addGroup(_ name: String, ldap filter: String? = nil, actor: String) throws {
        try StoreTransaction.requireGroupName(name)
        let what = "group add \(name)" + (filter.map { " --ldap \($0)" } ?? "")
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let exists = try transaction.value(
                of: Bool.self,
                sql: "SELECT EXISTS (SELECT 1 FROM \"group\" WHERE name = ?)",
                arguments: [name]
            )
            guard exists != true else {
                throw StoreError.refused("group \(name) exists: gatepost group show \(name)")
            }
            try transaction.execute(
                sql: "INSERT INTO \"group\" (name) VALUES (?)",
                arguments: [name]
            )
            if let filter {
                try transaction.setDirectory(filter, of: try transaction.insertedKey())
            }
        }
    }

    /// Removes a group with its memberships and the grants to it.
    /// - Parameter actor: The recorded name of who removes it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown group, and for one that a withdrawal or a wall
    ///   keeps out of an account: its members would get in.
    package func removeGroup(_ name: String, actor: String) throws {
        try self.edit(Edit(actor: actor, action: "group remove \(name)")) { transaction in
            let id = try transaction.groupID(name: name)
            try transaction.requireNotKeptOut(
                .group(GroupID(id)),
                name: "group:\(name)"
            )
            try transaction.execute(sql: "DELETE FROM \"group\" WHERE id = ?", arguments: [id])
        }
    }

    /// All groups, sorted by name.
    package func groups() throws -> [GroupRow] {
        try self.read { try $0.groupRows() }
    }

    /// One group.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown group.
    package func group(_ name: String) throws -> GroupRow {
        try self.read { transaction in
            _ = try transaction.groupID(name: name)
            let filter = RowFilter("g.name = ?", arguments: [name])
            return try transaction.groupRows(where: filter).first
                ?? GroupRow(name: name, members: [])
        }
    }

    /// Adds members to a group; who is a member already stays one.
    /// - Parameters:
    ///   - members: Logins, and `group:NAME` for groups.
    ///   - name: The group.
    ///   - actor: The recorded name of who adds them; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, for a group that would contain itself, and for
    ///   one whose members come from the directory. Then no member is added.
    package func join(_ members: [String], to name: String, actor: String) throws {
        let what = "group join \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let group = try transaction.ownGroupID(name: name)
            for member in members {
                try transaction.insert(member, into: group, name: name)
            }
        }
    }

    /// Removes members from a group.
    /// - Parameters:
    ///   - members: Logins, and `group:NAME` for groups.
    ///   - name: The group.
    ///   - actor: The recorded name of who removes them; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, for somebody who is not a member, and for a group
    ///   whose members come from the directory. Then no member is removed.
    package func leave(_ members: [String], from name: String, actor: String) throws {
        let what = "group leave \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let group = try transaction.ownGroupID(name: name)
            for member in members {
                let subject = try transaction.subject(text: member)
                let filter = RowFilter("\"group\" = ?", arguments: [group])
                    .and(RowFilter(subject: subject, group: "inner"))
                try transaction.execute(
                    sql: "DELETE FROM member \(filter.clause)",
                    arguments: filter.arguments
                )
                guard transaction.changedRows > 0 else {
                    throw StoreError.notFound("\(member) is not in \(name)")
                }
            }
        }
    }
}

/// Groups inside a transaction.
extension StoreTransaction {
    /// - Throws: ``StoreError`` for a name of more than 200 octets, an empty or blank one, and
    ///   one with control or format characters: two names that look the same could be different
    ///   groups.
    static func requireGroupName(_ name: String) throws {
        let isSeen = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        guard isSeen, name.contains(where: { !$0.isWhitespace }), name.utf8.count <= 200 else {
            throw StoreError.refused(
                "a group's name has 1 to 200 octets, is not blank, and has no control or format characters"
            )
        }
    }

    /// Groups with their members, logins and `group:NAME`; both are sorted. Two queries.
    /// - Parameter filter: A condition on the table `group AS g`.
    func groupRows(where filter: RowFilter = .all) throws -> [GroupRow] {
        var members: [Int64: [String]] = [:]
        try filter.forEach(
            self,
            of: """
                SELECT g.id, coalesce(users.login, 'group:' || inside.name) AS name
                FROM "group" AS g JOIN member ON member."group" = g.id
                LEFT JOIN user AS users ON users.id = member.user
                LEFT JOIN "group" AS inside ON inside.id = member.inner
                """,
            order: "ORDER BY 2"
        ) { members[$0[0], default: []].append($0[1]) }
        var groups: [GroupRow] = []
        try filter.forEach(
            self,
            of: """
                SELECT id, name, filter FROM "group" AS g
                LEFT JOIN directoryGroup ON directoryGroup."group" = g.id
                """,
            order: "ORDER BY name"
        ) {
            groups.append(GroupRow(name: $0[1], members: members[$0[0]] ?? [], ldap: $0[2]))
        }
        return groups
    }

    /// Adds a member.
    /// - Parameters:
    ///   - member: A login or `group:NAME`.
    ///   - group: The key of the group's row.
    ///   - name: The group's name, for the error message.
    /// - Throws: ``StoreError`` for an unknown member, and for a group that contains this one,
    ///   directly or through other groups.
    func insert(
        _ member: String,
        into group: Int64,
        name: String
    ) throws {
        let subject = try self.subject(text: member)
        // Only a group can contain this one.
        if subject.groupKey != nil {
            let rules = try self.rules(on: [], about: [.group(GroupID(group))])
            try Self.decide(.member(of: name), subject: member) { () throws(EditRefusal) in
                try rules.requireMember(subject, of: GroupID(group))
            }
        }
        try self.execute(
            sql:
                "INSERT INTO member (\"group\", user, inner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [group, subject.userKey, subject.groupKey]
        )
    }
}
