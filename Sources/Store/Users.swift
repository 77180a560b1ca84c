import Access
import Foundation
import GRDB

/// A user as the command line shows it.
package struct UserRow: Codable, Equatable, Sendable {
    package var login: String
    @Nullable package var name: String?
    @Nullable package var role: String?
    package var disabled: Bool
    /// Who the user is at the operating system, for who has a role or decides as an owner there.
    @Nullable package var osUser: String?

    package init(
        login: String,
        name: String?,
        role: String?,
        disabled: Bool,
        osUser: String? = nil
    ) {
        self.login = login
        self.name = name
        self.role = role
        self.disabled = disabled
        self.osUser = osUser
    }
}

/// A group as the command line shows it.
package struct GroupRow: Codable, Equatable, Sendable {
    package var name: String
    /// Logins, and `group:NAME`.
    package var members: [String]

    package init(name: String, members: [String]) {
        self.name = name
        self.members = members
    }
}

extension PermissionStore {
    // MARK: - Users

    package func addUser(
        _ login: String,
        name: String?,
        role: String?,
        osUser: String? = nil,
        password: String?,
        actor: String
    ) throws {
        let address = try Self.login(login)
        let hash = try password.map { try PasswordHash(password: Array($0.utf8)).text }
        let what =
            "user add \(address)" + (role.map { " role \($0)" } ?? "")
            + (osUser.map { " os-user \($0)" } ?? "")
        try self.edit(actor: actor, what) { database in
            let exists = try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM user WHERE login = ?)",
                arguments: [address.description]
            )
            guard exists != true else {
                throw StoreError.refused("user \(address) exists: gatepost user show \(address)")
            }
            try database.execute(
                sql: """
                    INSERT INTO user (login, name, password, passwordVersion) VALUES (?, ?, ?, 1)
                    """,
                arguments: [address.description, name, hash]
            )
            let id = database.lastInsertedRowID
            try Self.setRole(role.flatMap(Role.init), osUser: osUser, of: id, database: database)
        }
    }

    package func users() throws -> [UserRow] {
        try self.read { database in
            try UserRow.fetch(database, sql: "SELECT * FROM user ORDER BY login", arguments: [])
        }
    }

    package func user(_ login: String) throws -> UserRow {
        try self.read { database in
            let id = try Self.userID(database, login: login)
            let rows = try UserRow.fetch(
                database,
                sql: "SELECT * FROM user WHERE id = ?",
                arguments: [id]
            )
            guard let row = rows.first else { throw StoreError.notFound("no user \(login)") }
            return row
        }
    }

    package func setPassword(_ password: String, of login: String, actor: String) throws {
        guard !password.isEmpty else { throw StoreError.refused("the password is empty") }
        let hash = try PasswordHash(password: Array(password.utf8)).text
        try self.change(login, what: "password", actor: actor, removesSecrets: true) {
            database,
            id in
            try database.execute(
                sql: """
                    UPDATE user SET password = ?, passwordVersion = passwordVersion + 1
                    WHERE id = ?
                    """,
                arguments: [hash, id]
            )
        }
    }

    package func setDisabled(_ isDisabled: Bool, login: String, actor: String) throws {
        try self.change(login, what: isDisabled ? "disable" : "enable", actor: actor) {
            database,
            id in
            try database.execute(
                sql: "UPDATE user SET disabled = ? WHERE id = ?",
                arguments: [isDisabled, id]
            )
        }
    }

    /// Removes a user with the grants it has; accounts it owned have no owner then.
    package func removeUser(_ login: String, actor: String) throws {
        try self.change(login, what: "remove", actor: actor, removesSecrets: true) { database, id in
            let owned = try String.fetchAll(
                database,
                sql: """
                    SELECT address FROM address JOIN account ON account.id = address.account
                    WHERE isPrimary = 1 AND owner = ?
                    """,
                arguments: [id]
            )
            guard owned.isEmpty else {
                throw StoreError.refused(
                    "\(login) owns \(owned.joined(separator: ", ")): give each another owner with "
                        + "gatepost account set, or remove it"
                )
            }
            try Self.requireNoBar(of: "user", id, subject: login, database: database)
            try database.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
        }
    }

    /// A login; no word that means others than one user.
    static func login(_ text: String) throws -> Address {
        let address = try self.address(text)
        guard address.description != "anyone", !address.description.hasPrefix("group:") else {
            throw StoreError.refused("\(address) means others than one user: choose another login")
        }
        return address
    }

    /// What keeps somebody out stays until somebody ends it, and does not go with whom it names.
    static func requireNoBar(
        of column: String,
        _ id: Int64,
        subject: String,
        database: Database
    ) throws {
        let barred = try String.fetchAll(
            database,
            sql: """
                SELECT DISTINCT address FROM address JOIN (
                    SELECT account, "\(column)" AS subject FROM withdrawal WHERE source = 'local'
                    UNION SELECT account, "\(column)" FROM wall
                ) AS bar ON bar.account = address.account
                WHERE isPrimary = 1 AND subject = ? ORDER BY address
                """,
            arguments: [id]
        )
        guard barred.isEmpty else {
            throw StoreError.refused(
                "\(subject) is kept out of \(barred.joined(separator: ", ")), which would be "
                    + "forgotten: gatepost grant restore, or wall remove, ACCOUNT \(subject) first"
                    + (column == "user" ? ", or gatepost user disable \(subject)" : "")
            )
        }
    }

    private func change(
        _ login: String,
        what: String,
        actor: String,
        removesSecrets: Bool = false,
        body: (Database, Int64) throws -> Void
    ) throws {
        try self.edit(actor: actor, "user \(what) \(login)", removesSecrets: removesSecrets) {
            database in
            try body(database, try Self.userID(database, login: login))
        }
    }

    // MARK: - Groups

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

extension UserRow {
    fileprivate static func fetch(
        _ database: Database,
        sql: String,
        arguments: StatementArguments
    ) throws -> [UserRow] {
        try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
            UserRow(
                login: row["login"],
                name: row["name"],
                role: row["role"],
                disabled: row["disabled"],
                osUser: row["osUser"]
            )
        }
    }
}
