import Access

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
            Edit(actor: actor, "wall add \(account) \(subject): \(reason)", account: account)
        ) { transaction in
            let id = try transaction.accountID(text: account)
            let wall = StoreTransaction.NewWall(
                account: id,
                accountName: account,
                subject: try transaction.subject(text: subject),
                subjectName: subject,
                reason: reason
            )
            try transaction.insert(wall, actor: actor)
        }
    }

    /// Takes a wall away: what is granted counts again.
    package func removeWall(account: String, subject: String, actor: String) throws {
        try self.edit(
            Edit(actor: actor, "wall remove \(account) \(subject)", account: account)
        ) { transaction in
            let id = try transaction.accountID(text: account)
            let named = try transaction.subject(text: subject)
            try transaction.execute(
                sql: "DELETE FROM wall WHERE account = ? AND user IS ? AND \"group\" IS ?",
                arguments: [id, named.userKey, named.groupKey]
            )
            guard transaction.changedRows > 0 else {
                throw StoreError.notFound(
                    "no wall bars \(subject) from \(account): gatepost wall list"
                )
            }
        }
    }

    /// The walls between an account and a subject, or a group that the subject is in.
    package func walls(barring subject: String, from account: String) throws -> [WallRow] {
        try self.read { transaction in
            let id = try transaction.accountID(text: account)
            let named = try transaction.subject(text: subject)
            let rules = try transaction.rules(on: [id], about: [named])
            let barring = Set(rules.walls(barring: named, from: AccountID(id)).map(\.subject))
            return try transaction.walls(where: RowFilter("w.account", in: [id]))
                .filter { barring.contains($0.subject) }.map(\.row)
        }
    }

    package func walls() throws -> [WallRow] {
        try self.read { try $0.walls().map(\.row) }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    func walls(where filter: RowFilter = .all) throws -> [StoredRule<WallRow>] {
        try filter.rows(
            self,
            of: """
                SELECT w.*, address.address, coalesce(user.login, 'group:' || inner.name) AS subject
                FROM wall AS w
                JOIN address ON address.account = w.account AND isPrimary = 1
                LEFT JOIN user ON user.id = w.user
                LEFT JOIN "group" AS inner ON inner.id = w."group"
                """,
            order: "ORDER BY address.address, subject, w.id"
        ).map { row in
            let shown = WallRow(
                account: row["address"],
                subject: row["subject"],
                reason: row["reason"],
                author: row["author"],
                created: row["created"]
            )
            return StoredRule(account: row["account"], subject: Self.subject(row), row: shown)
        }
    }

    /// A wall to be made, with the names that the edit has.
    struct NewWall {
        var account: Int64
        var accountName: String
        var subject: Subject
        var subjectName: String
        var reason: String
    }

    func insert(_ wall: NewWall, actor: String) throws {
        let rules = try self.rules(on: [wall.account], about: [wall.subject])
        try Self.decide(.wall, account: wall.accountName, subject: wall.subjectName) {
            () throws(EditRefusal) in
            try rules.requireWall(wall.subject, at: AccountID(wall.account))
        }
        guard wall.reason.contains(where: { !$0.isWhitespace }) else {
            throw StoreError.refused("a wall has a reason, which is kept: --reason TEXT")
        }
        try self.execute(
            sql: """
                INSERT INTO wall (account, user, "group", reason, author, created)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                wall.account, wall.subject.userKey, wall.subject.groupKey, wall.reason, actor,
                Moment.current.seconds,
            ]
        )
    }

    /// Makes the walls equal to those of a document.
    func apply(
        walls: [ModelDocument.Wall],
        _ actor: String
    ) throws {
        let keys = try walls.map { wall in
            let account = try self.accountID(text: wall.account)
            return SubjectOnAccount(
                account: account,
                subject: try self.subject(text: wall.subject)
            )
        }
        try Self.requireDistinct("walls", keys: keys.map { [$0] }) { index in
            "\(walls[index].subject) and \(walls[index].account)"
        }
        var wanted = Dictionary(zip(keys, walls)) { first, _ in first }
        for known in try self.walls() {
            let key = SubjectOnAccount(account: known.account, subject: known.subject)
            // The same wall keeps who made it, and when.
            if wanted[key].map({ ExactText($0.reason) }) == ExactText(known.row.reason) {
                wanted[key] = nil
                continue
            }
            try self.execute(
                sql: "DELETE FROM wall WHERE account = ? AND user IS ? AND \"group\" IS ?",
                arguments: [known.account, known.subject.userKey, known.subject.groupKey]
            )
        }
        for (key, wall) in wanted {
            let wall = NewWall(
                account: key.account,
                accountName: wall.account,
                subject: key.subject,
                subjectName: wall.subject,
                reason: wall.reason
            )
            try self.insert(wall, actor: actor)
        }
    }
}
