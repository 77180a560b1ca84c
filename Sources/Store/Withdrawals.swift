import Access

/// A withdrawal as `gatepost grant list` prints it, in text and in JSON.
package struct WithdrawalRow: Codable, Equatable, Sendable {
    /// The primary address of the account.
    package var account: String
    /// A login or `group:NAME`.
    package var subject: String
    /// Whether the rights in folders are withdrawn.
    package var view: Bool
    /// Whether the right to send is withdrawn.
    package var send: Bool
    /// `local` for a withdrawal made here, `exchange` for what Exchange denies.
    package var source: String
    /// Who withdrew, or who saved the import.
    package var author: String
    /// When, in seconds since 1970.
    package var created: Int64
}

/// Withdrawals: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Withdraws the view side, the send side, or both of an Exchange account from a subject,
    /// now and after every later import. Exchange itself is not changed.
    /// - Parameters:
    ///   - subject: A login or `group:NAME`.
    ///   - view: Whether the rights in folders are withdrawn.
    ///   - send: Whether the right to send is withdrawn.
    ///   - actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, an IMAP account, the account's owner, and
    ///   for sides that are withdrawn already.
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
                action: "grant remove \(account) \(subject) \(sides.words)",
                account: account
            )
        ) { transaction in
            let id = try transaction.exchangeAccountID(name: account)
            let named = try transaction.subject(text: subject)
            let rules = try transaction.rules(on: [id], about: [named])
            let withdrawn = try StoreTransaction.decide(
                .withdrawal,
                account: account,
                subject: subject
            ) {
                () throws(EditRefusal) in
                try rules.withdrawing(sides, from: named, on: AccountID(id))
            }
            let key = SubjectOnAccount(account: id, subject: named)
            try transaction.setWithdrawn(withdrawn, from: key, actor: actor)
        }
    }

    /// Ends a withdrawal; what Exchange gives takes effect again.
    /// - Parameters:
    ///   - subject: Exactly the login or `group:NAME` of the withdrawal.
    ///   - view: Whether the rights in folders are restored.
    ///   - send: Whether the right to send is restored.
    ///   - actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown name, an IMAP account, and if none of these
    ///   sides is withdrawn.
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
                action: "grant restore \(account) \(subject) \(sides.words)",
                account: account
            )
        ) { transaction in
            let id = try transaction.accountID(text: account)
            let own = try transaction.rules(on: [id], about: [])
            try StoreTransaction.decide(.restoring, account: account, subject: subject) {
                () throws(EditRefusal) in
                try own.requireGrants(from: .exchange, on: AccountID(id))
            }
            let named = try transaction.subject(text: subject)
            let rules = try transaction.rules(on: [id], about: [named])
            let left = try StoreTransaction.decide(.restoring, account: account, subject: subject) {
                () throws(EditRefusal) in
                try rules.restoring(sides, to: named, on: AccountID(id))
            }
            let key = SubjectOnAccount(account: id, subject: named)
            try transaction.setWithdrawn(left, from: key, actor: actor)
        }
    }

    /// The withdrawals on one account, from one subject, or both; without a filter all
    /// withdrawals. Imported denials are included.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account or subject.
    package func withdrawals(account: String?, subject: String?) throws -> [WithdrawalRow] {
        try self.read { transaction in
            try transaction.withdrawals(
                where: try transaction.filter(of: "w", account: account, subject: subject)
            ).map(\.row)
        }
    }
}

/// Withdrawals inside a transaction.
extension StoreTransaction {
    /// Withdrawals with the names of their account and subject, sorted by these.
    /// - Parameter filter: A condition on the table `withdrawal AS w`.
    func withdrawals(where filter: RowFilter = .all) throws -> [StoredRule<WithdrawalRow>] {
        try filter.rows(
            self,
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
            return StoredRule(account: row["account"], subject: Self.subject(row), row: shown)
        }
    }

    /// Makes the local withdrawals equal to those of a document.
    /// - Throws: ``StoreError`` for an unknown name, an IMAP account, an entry without a side,
    ///   and two entries for the same account and subject.
    func apply(
        withdrawals: [ModelDocument.Withdrawal],
        actor: String
    ) throws {
        let keys = try withdrawals.map { withdrawal in
            let account = try self.exchangeAccountID(name: withdrawal.account)
            let named = try self.subject(text: withdrawal.subject)
            guard withdrawal.view || withdrawal.send else {
                throw StoreError.refused(
                    "the withdrawal of \(withdrawal.account) from \(withdrawal.subject) needs view, "
                        + "send or both"
                )
            }
            return SubjectOnAccount(account: account, subject: named)
        }
        try Self.requireDistinct("withdrawals", keys: keys.map { [$0] }) { index in
            "\(withdrawals[index].subject) on \(withdrawals[index].account)"
        }
        let wanted = Dictionary(zip(keys, withdrawals)) { first, _ in first }
        var present: [SubjectOnAccount: Sides] = [:]
        for known in try self.withdrawals() where known.row.source == Source.local.rawValue {
            let key = SubjectOnAccount(account: known.account, subject: known.subject)
            present[key, default: []].formUnion(Sides(view: known.row.view, send: known.row.send))
        }
        for key in present.keys where wanted[key] == nil {
            try self.setWithdrawn([], from: key, actor: actor)
        }
        for (key, withdrawal) in wanted {
            let sides = Sides(view: withdrawal.view, send: withdrawal.send)
            guard present[key] != sides else { continue }
            try self.setWithdrawn(sides, from: key, actor: actor)
        }
    }

    /// Makes exactly these sides withdrawn from a subject, and increments the account's
    /// permissions version, so that a stage loaded before cannot be saved.
    func setWithdrawn(
        _ sides: Sides,
        from key: SubjectOnAccount,
        actor: String
    ) throws {
        // One row for each side: each keeps its author and date.
        for (column, side) in [("view", Sides.view), ("send", .send)] {
            let filter = RowFilter(account: key.account, subject: key.subject)
                .and("\(column) = 1")
            guard sides.contains(side) else {
                try self.execute(
                    sql: "DELETE FROM withdrawal \(filter.clause)",
                    arguments: filter.arguments
                )
                continue
            }
            guard try filter.rows(self, of: "SELECT 1 FROM withdrawal").isEmpty else {
                continue
            }
            try self.execute(
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
        try self.permissionsChanged(key.account)
    }
}
