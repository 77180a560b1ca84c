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
        let sides = Sides(view: view, send: send)
        try self.edit(
            Edit(
                actor: actor,
                "grant remove \(account) \(subject) \(sides.words)",
                account: account
            )
        ) { database in
            let id = try Self.exchangeAccountID(database, name: account)
            let named = try Self.subject(database, text: subject)
            let rules = try Self.rules(database, on: [id], about: [named])
            let withdrawn = try Self.decide(.withdrawal, account: account, subject: subject) {
                () throws(EditRefusal) in
                try rules.withdrawing(sides, from: named, on: AccountID(id))
            }
            let key = SubjectOnAccount(account: id, subject: named)
            try Self.setWithdrawn(withdrawn, from: key, actor: actor, database: database)
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
        let sides = Sides(view: view, send: send)
        try self.edit(
            Edit(
                actor: actor,
                "grant restore \(account) \(subject) \(sides.words)",
                account: account
            )
        ) { database in
            let id = try Self.accountID(database, text: account)
            let own = try Self.rules(database, on: [id], about: [])
            try Self.decide(.restoring, account: account, subject: subject) {
                () throws(EditRefusal) in
                try own.requireGrants(from: .exchange, on: AccountID(id))
            }
            let named = try Self.subject(database, text: subject)
            let rules = try Self.rules(database, on: [id], about: [named])
            let left = try Self.decide(.restoring, account: account, subject: subject) {
                () throws(EditRefusal) in
                try rules.restoring(sides, to: named, on: AccountID(id))
            }
            let key = SubjectOnAccount(account: id, subject: named)
            try Self.setWithdrawn(left, from: key, actor: actor, database: database)
        }
    }

    package func withdrawals(account: String?, subject: String?) throws -> [WithdrawalRow] {
        try self.read { database in
            try Self.withdrawals(
                database,
                where: try Self.filter(database, of: "w", account: account, subject: subject)
            ).map(\.row)
        }
    }

    static func withdrawals(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> [StoredRule<WithdrawalRow>] {
        try filter.rows(
            database,
            of: """
                SELECT w.*, address.address, coalesce(user.login, 'group:' || inner.name) AS subject
                FROM withdrawal AS w
                JOIN address ON address.account = w.account AND isPrimary = 1
                LEFT JOIN user ON user.id = w.user
                LEFT JOIN "group" AS inner ON inner.id = w."group"
                """,
            order: "ORDER BY address.address, subject, w.id"
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
            return StoredRule(account: row["account"], subject: self.subject(row), row: shown)
        }
    }

    /// Makes the withdrawals made here equal to those of a document.
    static func apply(
        withdrawals: [ModelDocument.Withdrawal],
        _ actor: String,
        database: Database
    ) throws {
        let keys = try withdrawals.map { withdrawal in
            let account = try self.exchangeAccountID(database, name: withdrawal.account)
            let named = try self.subject(database, text: withdrawal.subject)
            guard withdrawal.view || withdrawal.send else {
                throw StoreError.refused(
                    "withdrawal of \(withdrawal.account) from \(withdrawal.subject): view, send or "
                        + "both"
                )
            }
            return SubjectOnAccount(account: account, subject: named)
        }
        try self.requireDistinct("withdrawals", keys: keys.map { [$0] }) { index in
            "\(withdrawals[index].subject) on \(withdrawals[index].account)"
        }
        let wanted = Dictionary(zip(keys, withdrawals)) { first, _ in first }
        for known in try self.withdrawals(database) where known.row.source == Source.local.rawValue
        {
            let key = SubjectOnAccount(account: known.account, subject: known.subject)
            guard wanted[key] == nil else { continue }
            try self.setWithdrawn([], from: key, actor: actor, database: database)
        }
        for (key, withdrawal) in wanted {
            let sides = Sides(view: withdrawal.view, send: withdrawal.send)
            try self.setWithdrawn(sides, from: key, actor: actor, database: database)
        }
    }

    // MARK: - One subject

    /// Leaves exactly these sides withdrawn from a subject.
    static func setWithdrawn(
        _ sides: Sides,
        from key: SubjectOnAccount,
        actor: String,
        database: Database
    ) throws {
        // One row a side, so that each keeps who withdrew it, and when.
        for (column, side) in [("view", Sides.view), ("send", .send)] {
            let filter = RowFilter(account: key.account, subject: key.subject)
                .and("\(column) = 1")
            guard sides.contains(side) else {
                try database.execute(
                    sql: "DELETE FROM withdrawal \(filter.clause)",
                    arguments: filter.arguments
                )
                continue
            }
            guard try filter.rows(database, of: "SELECT 1 FROM withdrawal").isEmpty else {
                continue
            }
            try database.execute(
                sql: """
                    INSERT INTO withdrawal (account, user, "group", view, send, author, created)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    key.account, key.subject.userKey, key.subject.groupKey, side == .view,
                    side == .send, actor, Moment.current.seconds,
                ]
            )
        }
        try self.permissionsChanged(key.account, database: database)
    }
}
