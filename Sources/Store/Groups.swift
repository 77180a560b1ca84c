import Access

/// Groups and their members: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Adds a group without members.
    /// - Parameters:
    ///   - name: 1 to 200 octets, compared octet for octet.
    ///   - actor: The recorded name of who adds it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an invalid name, and for a group that exists.
    package func addGroup(_ name: String, actor: String) throws {
        try StoreTransaction.requireGroupName(name)
        try self.edit(Edit(actor: actor, action: "group add \(name)")) { transaction in
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
        try self.read { transaction in
            try transaction.values(of: String.self, sql: "SELECT name FROM \"group\" ORDER BY name")
                .map {
                    GroupRow(name: $0, members: try transaction.members(of: $0))
                }
        }
    }

    /// One group.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown group.
    package func group(_ name: String) throws -> GroupRow {
        try self.read { transaction in
            _ = try transaction.groupID(name: name)
            return GroupRow(name: name, members: try transaction.members(of: name))
        }
    }

    /// Adds members to a group; who is a member already stays one.
    /// - Parameters:
    ///   - members: Logins, and `group:NAME` for groups.
    ///   - name: The group.
    ///   - actor: The recorded name of who adds them; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, and for a group that would contain itself.
    ///   Then no member is added.
    package func join(_ members: [String], to name: String, actor: String) throws {
        let what = "group join \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let group = try transaction.groupID(name: name)
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
    /// - Throws: ``StoreError`` for an unknown name, and for somebody who is not a member. Then
    ///   no member is removed.
    package func leave(_ members: [String], from name: String, actor: String) throws {
        let what = "group leave \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let group = try transaction.groupID(name: name)
            for member in members {
                let subject = try transaction.subject(text: member)
                try transaction.execute(
                    sql: """
                        DELETE FROM member WHERE "group" = ?
                        AND user IS NOT DISTINCT FROM ? AND inner IS NOT DISTINCT FROM ?
                        """,
                    arguments: [group, subject.userKey, subject.groupKey]
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

    /// The members of a group, sorted: logins, and `group:NAME`.
    func members(of name: String) throws -> [String] {
        try self.values(
            of: String.self,
            sql: """
                SELECT coalesce(user.login, 'group:' || inner.name) AS member FROM member
                JOIN "group" AS outer ON outer.id = member."group"
                LEFT JOIN user ON user.id = member.user
                LEFT JOIN "group" AS inner ON inner.id = member.inner
                WHERE outer.name = ? ORDER BY member
                """,
            arguments: [name]
        )
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
