import Access
import GRDB

/// A wall as the command line shows it.
package struct WallRow: Codable, Equatable, Sendable {
    package var account: String
    package var subject: String
    package var reason: String
    package var author: String
    /// Seconds since 1970.
    package var created: Int64
}

extension PermissionStore {
    /// Bars a subject from an account, whatever is granted or imported, now or later.
    package func addWall(
        account: String,
        subject: String,
        reason: String,
        actor: String
    ) throws {
        try self.edit(
            actor: actor,
            "wall add \(account) \(subject): \(reason)",
            account: account
        ) { database in
            let id = try Self.accountID(database, text: account)
            let (user, group) = try Self.subject(database, text: subject)
            let exists = try Self.walls(database).contains {
                $0.accountID == id && $0.user == user && $0.group == group
            }
            guard !exists else {
                throw StoreError.refused(
                    "a wall bars \(subject) from \(account) already: gatepost wall list"
                )
            }
            try Self.insertWall(
                id,
                account: account,
                user: user,
                group: group,
                subject: subject,
                reason: reason,
                actor: actor,
                database: database
            )
        }
    }

    /// Takes a wall away: what is granted counts again.
    package func removeWall(account: String, subject: String, actor: String) throws {
        try self.edit(
            actor: actor,
            "wall remove \(account) \(subject)",
            account: account
        ) { database in
            let id = try Self.accountID(database, text: account)
            let (user, group) = try Self.subject(database, text: subject)
            try database.execute(
                sql: "DELETE FROM wall WHERE account = ? AND user IS ? AND \"group\" IS ?",
                arguments: [id, user, group]
            )
            guard database.changesCount > 0 else {
                throw StoreError.notFound(
                    "no wall bars \(subject) from \(account): gatepost wall list"
                )
            }
        }
    }

    /// The walls between an account and a subject, or a group that a user is in.
    package func walls(barring subject: String, from account: String) throws -> [WallRow] {
        try self.read { database in
            let id = try Self.accountID(database, text: account)
            let (user, group) = try Self.subject(database, text: subject)
            return try Self.walls(database).filter { wall in
                guard wall.accountID == id else { return false }
                if let group { return wall.group == group }
                guard let user else { return false }
                return try wall.user == user
                    || wall.group.map { try Self.isMember(user, of: $0, database: database) }
                        ?? false
            }.map(\.row)
        }
    }

    package func walls() throws -> [WallRow] {
        try self.read { try Self.walls($0).map(\.row) }
    }

    static func walls(
        _ database: Database
    ) throws -> [(accountID: Int64, user: Int64?, group: Int64?, row: WallRow)] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT w.*, address.address, coalesce(user.login, 'group:' || inner.name) AS subject
                FROM wall AS w
                JOIN address ON address.account = w.account AND isPrimary = 1
                LEFT JOIN user ON user.id = w.user
                LEFT JOIN "group" AS inner ON inner.id = w."group"
                ORDER BY address.address, subject, w.id
                """
        ).map { row in
            let shown = WallRow(
                account: row["address"],
                subject: row["subject"],
                reason: row["reason"],
                author: row["author"],
                created: row["created"]
            )
            return (row["account"], row["user"], row["group"], shown)
        }
    }

    /// Whether a wall bars a user from an account, in person or through a group.
    static func isBarred(_ user: Int64, from account: Int64, database: Database) throws -> Bool {
        try self.walls(database).contains { wall in
            guard wall.accountID == account else { return false }
            return try wall.user == user
                || wall.group.map { try self.isMember(user, of: $0, database: database) } ?? false
        }
    }

    private static func insertWall(
        _ id: Int64,
        account: String,
        user: Int64?,
        group: Int64?,
        subject: String,
        reason: String,
        actor: String,
        database: Database
    ) throws {
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw StoreError.refused("a wall has a reason, which is kept: --reason TEXT")
        }
        if let user, try self.owner(of: id, database) == user {
            throw StoreError.refused(
                "\(account) belongs to \(subject), whom no wall bars from it: gatepost user "
                    + "disable \(subject)"
            )
        }
        try database.execute(
            sql: """
                INSERT INTO wall (account, user, "group", reason, author, created)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [id, user, group, reason, actor, Moment.current.seconds]
        )
    }

    /// Makes the walls equal to those of a document.
    static func apply(
        walls: [ModelDocument.Wall],
        _ actor: String,
        database: Database
    ) throws {
        let keys = try walls.map { wall in
            let account = try self.accountID(database, text: wall.account)
            let (user, group) = try self.subject(database, text: wall.subject)
            return [account, user, group]
        }
        try self.requireDistinct("walls", keys: keys.map { [$0] }) { index in
            "\(walls[index].subject) and \(walls[index].account)"
        }
        var wanted = Dictionary(zip(keys, walls)) { first, _ in first }
        for known in try self.walls(database) {
            let key = [known.accountID, known.user, known.group]
            // The same wall keeps who made it, and when.
            if wanted[key].map({ ExactText($0.reason) }) == ExactText(known.row.reason) {
                wanted[key] = nil
                continue
            }
            try database.execute(
                sql: "DELETE FROM wall WHERE account = ? AND user IS ? AND \"group\" IS ?",
                arguments: [known.accountID, known.user, known.group]
            )
        }
        for (key, wall) in wanted {
            try self.insertWall(
                key[0] ?? 0,
                account: wall.account,
                user: key[1],
                group: key[2],
                subject: wall.subject,
                reason: wall.reason,
                actor: actor,
                database: database
            )
        }
    }
}
