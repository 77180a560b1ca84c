import Access
import GRDB

/// Groups, and who is a member.
extension PermissionStore {
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

    package func addGroup(_ name: String, actor: String) throws {
        try Self.requireGroupName(name)
        try self.edit(Edit(actor: actor, "group add \(name)")) { database in
            let exists = try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM \"group\" WHERE name = ?)",
                arguments: [name]
            )
            guard exists != true else {
                throw StoreError.refused("group \(name) exists: gatepost group show \(name)")
            }
            try database.execute(
                sql: "INSERT INTO \"group\" (name) VALUES (?)",
                arguments: [name]
            )
        }
    }

    package func removeGroup(_ name: String, actor: String) throws {
        try self.edit(Edit(actor: actor, "group remove \(name)")) { database in
            let id = try Self.groupID(database, name: name)
            try Self.requireNotKeptOut(
                .group(GroupID(id)),
                name: "group:\(name)",
                database: database
            )
            try database.execute(sql: "DELETE FROM \"group\" WHERE id = ?", arguments: [id])
        }
    }

    package func groups() throws -> [GroupRow] {
        try self.read { database in
            try String.fetchAll(database, sql: "SELECT name FROM \"group\" ORDER BY name").map {
                GroupRow(name: $0, members: try Self.members(database, of: $0))
            }
        }
    }

    package func group(_ name: String) throws -> GroupRow {
        try self.read { database in
            _ = try Self.groupID(database, name: name)
            return GroupRow(name: name, members: try Self.members(database, of: name))
        }
    }

    package func join(_ members: [String], to name: String, actor: String) throws {
        let what = "group join \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, what)) { database in
            let group = try Self.groupID(database, name: name)
            for member in members {
                try Self.insert(member, into: group, name: name, database: database)
            }
        }
    }

    package func leave(_ members: [String], from name: String, actor: String) throws {
        let what = "group leave \(name) \(members.joined(separator: " "))"
        try self.edit(Edit(actor: actor, what)) { database in
            let group = try Self.groupID(database, name: name)
            for member in members {
                let subject = try Self.subject(database, text: member)
                try database.execute(
                    sql: "DELETE FROM member WHERE \"group\" = ? AND user IS ? AND inner IS ?",
                    arguments: [group, subject.userKey, subject.groupKey]
                )
                guard database.changesCount > 0 else {
                    throw StoreError.notFound("\(member) is not in \(name)")
                }
            }
        }
    }

    static func members(_ database: Database, of name: String) throws -> [String] {
        try String.fetchAll(
            database,
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
    static func insert(
        _ member: String,
        into group: Int64,
        name: String,
        database: Database
    ) throws {
        let subject = try Self.subject(database, text: member)
        // A user contains nothing.
        if subject.groupKey != nil {
            let rules = try self.rules(database, on: [], about: [.group(GroupID(group))])
            try self.decide(.member(of: name), subject: member) { () throws(EditRefusal) in
                try rules.requireMember(subject, of: GroupID(group))
            }
        }
        try database.execute(
            sql: "INSERT OR IGNORE INTO member (\"group\", user, inner) VALUES (?, ?, ?)",
            arguments: [group, subject.userKey, subject.groupKey]
        )
    }
}
