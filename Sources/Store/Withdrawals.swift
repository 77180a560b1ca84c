import Access
import GRDB

/// A withdrawal as the command line shows it.
package struct WithdrawalRow: Codable, Equatable, Sendable {
    package var account: String
    package var subject: String
    package var view: Bool
    package var send: Bool
    /// `local` for what was withdrawn here, `exchange` for what Exchange denies.
    package var source: String
    package var author: String
    /// Seconds since 1970.
    package var created: Int64
}

extension PermissionStore {
    /// Takes the view side, the send side or both of an Exchange account away from a subject, now
    /// and after every later import. Exchange itself stays as it is.
    package func withdraw(
        account: String,
        subject: String,
        view: Bool,
        send: Bool,
        actor: String
    ) throws {
        try self.edit(
            actor: actor,
            "grant remove \(account) \(subject) \(Self.sides(view, send: send))",
            account: account
        ) { database in
            let id = try Self.exchangeAccountID(database, name: account)
            let (user, group) = try Self.subject(database, text: subject)
            if let user, try Self.owner(of: id, database) == user {
                throw StoreError.refused(
                    "\(account) belongs to \(subject), from whom it cannot be withdrawn: "
                        + "gatepost user disable \(subject)"
                )
            }
            let before = try Self.withdrawn(id, user: user, group: group, database: database)
            guard (view && !before.view) || (send && !before.send) else {
                throw StoreError.refused("it is withdrawn from \(subject) already")
            }
            try Self.setWithdrawn(
                id,
                user: user,
                group: group,
                view: view || before.view,
                send: send || before.send,
                actor: actor,
                database: database
            )
        }
    }

    /// Ends a withdrawal: what Exchange gives counts again.
    package func restore(
        account: String,
        subject: String,
        view: Bool,
        send: Bool,
        actor: String
    ) throws {
        try self.edit(
            actor: actor,
            "grant restore \(account) \(subject) \(Self.sides(view, send: send))",
            account: account
        ) { database in
            let id = try Self.accountID(database, text: account)
            guard try Self.kind(of: id, database) == .exchange else {
                throw StoreError.refused(
                    "\(account) is an IMAP account, from which removing deletes: add the grant "
                        + "again (gatepost grant add \(account) \(subject) …)"
                )
            }
            let (user, group) = try Self.subject(database, text: subject)
            let before = try Self.withdrawn(id, user: user, group: group, database: database)
            guard (view && before.view) || (send && before.send) else {
                throw StoreError.notFound(
                    "nothing of \(account) is withdrawn from \(subject): gatepost grant list "
                        + "--account \(account)"
                )
            }
            try Self.setWithdrawn(
                id,
                user: user,
                group: group,
                view: before.view && !view,
                send: before.send && !send,
                actor: actor,
                database: database
            )
        }
    }

    package func withdrawals(account: String?, subject: String?) throws -> [WithdrawalRow] {
        try self.read { database in
            let id = try account.map { try Self.accountID(database, text: $0) }
            let (user, group) =
                try subject.map { try Self.subject(database, text: $0) } ?? (nil, nil)
            return try Self.withdrawals(database).filter { found in
                (id == nil || found.accountID == id)
                    && (subject == nil || (found.user == user && found.group == group))
            }.map(\.row)
        }
    }

    static func withdrawals(
        _ database: Database
    ) throws -> [(accountID: Int64, user: Int64?, group: Int64?, row: WithdrawalRow)] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT w.*, address.address, coalesce(user.login, 'group:' || inner.name) AS subject
                FROM withdrawal AS w
                JOIN address ON address.account = w.account AND isPrimary = 1
                LEFT JOIN user ON user.id = w.user
                LEFT JOIN "group" AS inner ON inner.id = w."group"
                ORDER BY address.address, subject, w.id
                """
        ).map { row in
            let shown = WithdrawalRow(
                account: row["address"],
                subject: row["subject"],
                view: row["view"],
                send: row["send"],
                source: row["source"],
                author: row["author"],
                created: row["created"]
            )
            return (row["account"], row["user"], row["group"], shown)
        }
    }

    /// Makes the withdrawals made here equal to those of a document.
    static func apply(
        withdrawals: [ModelDocument.Withdrawal],
        _ actor: String,
        database: Database
    ) throws {
        let keys: [[Int64?]] = try withdrawals.map { withdrawal in
            let account = try self.exchangeAccountID(database, name: withdrawal.account)
            let (user, group) = try self.subject(database, text: withdrawal.subject)
            guard withdrawal.view || withdrawal.send else {
                throw StoreError.refused(
                    "withdrawal of \(withdrawal.account) from \(withdrawal.subject): view, send or "
                        + "both"
                )
            }
            return [account, user, group]
        }
        try self.requireDistinct("withdrawals", keys: keys.map { [$0] }) { index in
            "\(withdrawals[index].subject) on \(withdrawals[index].account)"
        }
        let wanted = Dictionary(zip(keys, withdrawals)) { first, _ in first }
        for known in try self.withdrawals(database) where known.row.source == Source.local.rawValue
        {
            let key = [known.accountID, known.user, known.group]
            guard wanted[key] == nil else { continue }
            try self.setWithdrawn(
                known.accountID,
                user: known.user,
                group: known.group,
                view: false,
                send: false,
                actor: actor,
                database: database
            )
        }
        for (key, withdrawal) in wanted {
            try self.setWithdrawn(
                key[0] ?? 0,
                user: key[1],
                group: key[2],
                view: withdrawal.view,
                send: withdrawal.send,
                actor: actor,
                database: database
            )
        }
    }

    /// The sides that a change is about, in words.
    static func sides(_ view: Bool, send: Bool) -> String {
        [view ? "view" : nil, send ? "send" : nil].compactMap { $0 }.joined(separator: " ")
    }

    // MARK: - One subject

    static func owner(of account: Int64, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database,
            sql: "SELECT owner FROM account WHERE id = ?",
            arguments: [account]
        )
    }

    private static let ofSubject = """
        account = ? AND user IS ? AND "group" IS ? AND source = 'local'
        """

    /// Which sides are withdrawn from a subject here.
    private static func withdrawn(
        _ account: Int64,
        user: Int64?,
        group: Int64?,
        database: Database
    ) throws -> (view: Bool, send: Bool) {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT coalesce(max(view), 0) AS view, coalesce(max(send), 0) AS send
                FROM withdrawal WHERE \(self.ofSubject)
                """,
            arguments: [account, user, group]
        )
        return (row?["view"] ?? false, row?["send"] ?? false)
    }

    /// Leaves exactly these sides withdrawn from a subject.
    static func setWithdrawn(
        _ account: Int64,
        user: Int64?,
        group: Int64?,
        view: Bool,
        send: Bool,
        actor: String,
        database: Database
    ) throws {
        // One row a side, so that each keeps who withdrew it, and when.
        for (column, isWithdrawn) in [("view", view), ("send", send)] {
            let filter = "\(self.ofSubject) AND \(column) = 1"
            let arguments: StatementArguments = [account, user, group]
            guard isWithdrawn else {
                try database.execute(
                    sql: "DELETE FROM withdrawal WHERE \(filter)",
                    arguments: arguments
                )
                continue
            }
            let count = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM withdrawal WHERE \(filter)",
                arguments: arguments
            )
            guard count == 0 else { continue }
            try database.execute(
                sql: """
                    INSERT INTO withdrawal (account, user, "group", view, send, author, created)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    account, user, group, column == "view", column == "send", actor,
                    Moment.current.seconds,
                ]
            )
        }
        try self.permissionsChanged(account, database: database)
    }
}
