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
        try self.edit(actor: actor, "group add \(name)") { database in
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
        try self.edit(actor: actor, "group remove \(name)") { database in
            let id = try Self.groupID(database, name: name)
            try Self.requireNoBar(of: "group", id, subject: "group:\(name)", database: database)
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
        try self.edit(actor: actor, what) { database in
            let group = try Self.groupID(database, name: name)
            for member in members {
                try Self.insert(member, into: group, name: name, database: database)
            }
        }
    }

    package func leave(_ members: [String], from name: String, actor: String) throws {
        let what = "group leave \(name) \(members.joined(separator: " "))"
        try self.edit(actor: actor, what) { database in
            let group = try Self.groupID(database, name: name)
            for member in members {
                let (user, inner) = try Self.subject(database, text: member)
                try database.execute(
                    sql: "DELETE FROM member WHERE \"group\" = ? AND user IS ? AND inner IS ?",
                    arguments: [group, user, inner]
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
        let (user, inner) = try Self.subject(database, text: member)
        if let inner, try self.contains(group, from: inner, database: database) {
            throw StoreError.refused(
                "\(member) contains group:\(name) already: a group cannot be inside itself"
            )
        }
        try database.execute(
            sql: "INSERT OR IGNORE INTO member (\"group\", user, inner) VALUES (?, ?, ?)",
            arguments: [group, user, inner]
        )
    }

    /// Whether a user is in a group, or in one inside it.
    static func isMember(_ user: Int64, of group: Int64, database: Database) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                WITH RECURSIVE inside (id) AS (
                    VALUES (?)
                    UNION SELECT member.inner FROM member
                    JOIN inside ON member."group" = inside.id WHERE member.inner IS NOT NULL
                )
                SELECT EXISTS (
                    SELECT 1 FROM member JOIN inside ON member."group" = inside.id
                    WHERE member.user = ?
                )
                """,
            arguments: [group, user]
        ) ?? false
    }

    /// Whether `group` is `start` or lies inside it.
    private static func contains(
        _ group: Int64,
        from start: Int64,
        database: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                WITH RECURSIVE inside (id) AS (
                    SELECT ? UNION
                    SELECT member.inner FROM member JOIN inside ON member."group" = inside.id
                    WHERE member.inner IS NOT NULL
                ) SELECT EXISTS (SELECT 1 FROM inside WHERE id = ?)
                """,
            arguments: [start, group]
        ) ?? false
    }
}
