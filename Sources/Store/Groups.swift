import Access

/// Groups, and who is a member.
extension PermissionStore {
    package func addGroup(_ name: String, actor: String) throws {
        try StoreTransaction.requireGroupName(name)
        try self.edit(Edit(actor: actor, "group add \(name)")) { transaction in
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

    package func removeGroup(_ name: String, actor: String) throws {
        try self.edit(Edit(actor: actor, "group remove \(name)")) { transaction in
            let id = try transaction.groupID(name: name)
            try transaction.requireNotKeptOut(
                .group(GroupID(id)),
                name: "group:\(name)"
            )
            try transaction.execute(sql: "DELETE FROM \"group\" WHERE id = ?", arguments: [id])
        }
    }

    package func groups() throws -> [GroupRow] {
        try self.read { transaction in
            try transaction.values(of: String.self, sql: "SELECT name FROM \"group\" ORDER BY name")
                .map {
                    GroupRow(name: $0, members: try transaction.members(of: $0))
                }
        }
    }

    package func group(_ name: String) throws -> GroupRow {
        try self.read { transaction in
            _ = try transaction.groupID(name: name)
            return GroupRow(name: name, members: try transaction.members(of: name))
        }
    }

    package func join(_ members: [String], to name: String, actor: String) throws {
        let what = "group join \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, what)) { transaction in
            let group = try transaction.groupID(name: name)
            for member in members {
                try transaction.insert(member, into: group, name: name)
            }
        }
    }

    package func leave(_ members: [String], from name: String, actor: String) throws {
        let what = "group leave \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, what)) { transaction in
            let group = try transaction.groupID(name: name)
            for member in members {
                let subject = try transaction.subject(text: member)
                try transaction.execute(
                    sql: "DELETE FROM member WHERE \"group\" = ? AND user IS ? AND inner IS ?",
                    arguments: [group, subject.userKey, subject.groupKey]
                )
                guard transaction.changedRows > 0 else {
                    throw StoreError.notFound("\(member) is not in \(name)")
                }
            }
        }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    static func requireGroupName(_ name: String) throws {
        let isSeen = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        guard isSeen, name.contains(where: { !$0.isWhitespace }), name.utf8.count <= 200 else {
            throw StoreError.refused(
                "a group's name has 1 to 200 octets, and nothing in it that is not seen"
            )
        }
    }

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

    /// Adds a member; a group that contains the group itself, directly or not, is refused.
    func insert(
        _ member: String,
        into group: Int64,
        name: String
    ) throws {
        let subject = try self.subject(text: member)
        // A user contains nothing.
        if subject.groupKey != nil {
            let rules = try self.rules(on: [], about: [.group(GroupID(group))])
            try Self.decide(.member(of: name), subject: member) { () throws(EditRefusal) in
                try rules.requireMember(subject, of: GroupID(group))
            }
        }
        try self.execute(
            sql: "INSERT OR IGNORE INTO member (\"group\", user, inner) VALUES (?, ?, ?)",
            arguments: [group, subject.userKey, subject.groupKey]
        )
    }
}
