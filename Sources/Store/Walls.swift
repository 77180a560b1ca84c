import Access

/// A wall as `gatepost wall list` prints it, in text and in JSON.
package struct WallRow: Codable, Equatable, Sendable {
    /// The primary address of the account.
    package var account: String
    /// A login or `group:NAME`.
    package var subject: String
    /// The reason that the author gave.
    package var reason: String
    /// Who added the wall.
    package var author: String
    /// When it was added, in seconds since 1970.
    package var created: Int64
}

/// Walls: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Bars a subject from an account. A wall overrides every grant, present and future, local
    /// and imported.
    /// - Parameter reason: Required, and shown to administrators.
    /// - Throws: ``StoreError`` for an unknown name, a blank reason, a wall that exists, and a
    ///   wall against the account's owner.
    package func addWall(
        account: String,
        subject: String,
        reason: String,
        actor: String
    ) throws {
        try self.edit(
            Edit(
                actor: actor,
                action: "wall add \(account) \(subject): \(reason)",
                account: account
            )
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

    /// Removes a wall; grants take effect again.
    /// - Parameters:
    ///   - account: Any address of the account.
    ///   - subject: Exactly the login or `group:NAME` of the wall.
    ///   - actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown name, and if there is no such
    ///   wall.
    package func removeWall(account: String, subject: String, actor: String) throws {
        try self.edit(
            Edit(actor: actor, action: "wall remove \(account) \(subject)", account: account)
        ) { transaction in
            let id = try transaction.accountID(text: account)
            let named = try transaction.subject(text: subject)
            let filter = RowFilter("account = ?", arguments: [id]).and(RowFilter(subject: named))
            try transaction.execute(
                sql: "DELETE FROM wall \(filter.clause)",
                arguments: filter.arguments
            )
            guard transaction.changedRows > 0 else {
                throw StoreError.notFound(
                    "no wall bars \(subject) from \(account): gatepost wall list"
                )
            }
        }
    }

    /// The walls that bar a subject from an account, including those against a group that
    /// contains the subject.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown name.
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

    /// All walls, sorted by account and subject.
    package func walls() throws -> [WallRow] {
        try self.read { try $0.walls().map(\.row) }
    }
}

/// Walls inside a transaction.
extension StoreTransaction {
    /// Walls with the names of their account and subject, sorted by these.
    /// - Parameter filter: A condition on the table `wall AS w`.
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

    /// A wall to insert, with the keys and the names that the edit uses.
    struct NewWall {
        /// The key of the account's row.
        var account: Int64
        /// The account as the edit names it, for error messages.
        var accountName: String
        /// The user or group to bar.
        var subject: Subject
        /// The subject as the edit names it, for error messages.
        var subjectName: String
        /// Must not be blank.
        var reason: String
    }

    /// Inserts a wall.
    /// - Throws: ``StoreError`` for a blank reason, a wall that exists, and a wall against the
    ///   owner.
    func insert(_ wall: NewWall, actor: String) throws {
        let rules = try self.rules(on: [wall.account], about: [wall.subject])
        try Self.decide(.wall, account: wall.accountName, subject: wall.subjectName) {
            () throws(EditRefusal) in
            try rules.requireWall(wall.subject, at: AccountID(wall.account))
        }
        guard wall.reason.contains(where: { !$0.isWhitespace }) else {
            throw StoreError.refused("a wall needs a reason: --reason TEXT")
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

    /// Makes the walls equal to those of a document. A wall that exists already with the same
    /// reason keeps its author and date.
    /// - Throws: ``StoreError`` for two walls with the same account and subject, and as
    ///   ``insert(_:actor:)``.
    func apply(
        walls: [ModelDocument.Wall],
        actor: String
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
            // An unchanged wall keeps its author and date.
            if wanted[key].map({ ExactText($0.reason) }) == ExactText(known.row.reason) {
                wanted[key] = nil
                continue
            }
            let filter = RowFilter("account = ?", arguments: [known.account])
                .and(RowFilter(subject: known.subject))
            try self.execute(
                sql: "DELETE FROM wall \(filter.clause)",
                arguments: filter.arguments
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
