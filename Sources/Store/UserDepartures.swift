import Access

/// The departure of users: one edit, and one audit record with a line for each thing.
///
/// The user stays stored, and disabled. A removed user could be added again by an import, without
/// the walls and the withdrawals that kept the user out.
extension PermissionStore {
    /// What ``leave(_:successor:actor:)`` would do now. Nothing is changed.
    /// - Throws: ``StoreError`` as ``leave(_:successor:actor:)``.
    package func departure(of login: String, successor: String?) throws -> UserDeparture {
        try self.read { transaction in
            let id = try transaction.userID(login: login)
            let next = try transaction.successor(successor, of: id)
            return try transaction.departure(of: id, successor: next?.login)
        }
    }

    /// Takes everything from a user: accounts, grants, memberships, app passwords, folder
    /// subscriptions, password, role and operating-system user. The user is disabled, so sessions
    /// end. Walls and withdrawals stay in effect for the user, also those against groups.
    /// - Parameters:
    ///   - successor: The login of the next owner of the user's accounts; nil leaves them without
    ///     an owner.
    ///   - actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Returns: What was the user's.
    /// - Throws: ``StoreError`` for an unknown login, and for a successor who is the user, is
    ///   disabled, or is kept out of one of the accounts: an owner passes walls and withdrawals.
    package func leave(
        _ login: String,
        successor: String?,
        actor: String
    ) throws -> UserDeparture {
        let what = "user leave \(login)" + (successor.map { " successor \($0)" } ?? "")
        return try self.edit(
            Edit(actor: actor, action: what, removesSecrets: true),
            details: \.lines
        ) { transaction in
            let id = try transaction.userID(login: login)
            let next = try transaction.successor(successor, of: id)
            let departure = try transaction.departure(of: id, successor: next?.login)
            try transaction.hand(accountsOf: id, to: next?.id)
            try transaction.keepOut(id, as: departure, actor: actor)
            try transaction.takeEverything(from: id)
            return departure
        }
    }
}

/// The departure of a user inside a transaction.
extension StoreTransaction {
    /// Looks up the next owner of a user's accounts; nil for none.
    /// - Throws: ``StoreError`` as ``PermissionStore/leave(_:successor:actor:)``.
    fileprivate func successor(
        _ login: String?,
        of user: Int64
    ) throws -> (id: Int64, login: String)? {
        guard let login else { return nil }
        let id = try self.userID(login: login)
        guard let row = try self.userRows(where: RowFilter("id", in: [id])).first, id != user else {
            throw StoreError.refused("\(login) cannot be the successor of \(login)")
        }
        guard !row.disabled else {
            throw StoreError.refused(
                "\(row.login) is disabled: name another successor, or gatepost user enable "
                    + row.login
            )
        }
        let accounts = try self.accounts(of: user)
        let subject = Subject.user(UserID(id))
        let rules = try self.rules(on: accounts, about: [subject])
        for account in accounts.map(AccountID.init) {
            let isBarred =
                !rules.walls(barring: subject, from: account).isEmpty
                || !rules.sidesWithdrawn(from: subject, on: account).isEmpty
            guard !isBarred else {
                let name = try self.primary(of: account.rawValue)
                throw StoreError.refused(
                    "\(row.login) is kept out of \(name), and an owner is not: name another "
                        + "successor, or see gatepost wall list and gatepost grant list "
                        + "--withdrawn --account \(name)"
                )
            }
        }
        return (id, row.login)
    }

    /// What a user has. Nothing is changed.
    fileprivate func departure(of user: Int64, successor: String?) throws -> UserDeparture {
        let subject = Subject.user(UserID(user))
        guard let row = try self.userRows(where: RowFilter("id", in: [user])).first else {
            throw StoreError.notFound("no such user")
        }
        let groups = try self.values(
            of: Int64.self,
            sql: "SELECT \"group\" FROM member WHERE user = ?",
            arguments: [user]
        )
        let groupRows = try self.groupRows(where: RowFilter("g.id", in: groups))
        let above = try self.loadGroups(above: [subject]).map { Subject.group($0.id) }
        let rules = [subject] + above
        return UserDeparture(
            login: row.login,
            successor: successor,
            accounts: try self.accountRows(where: RowFilter("account.owner", in: [user]))
                .map(\.address),
            grants: try self.grants(where: RowFilter(subject: subject, table: "g.")).map(\.row),
            groups: groupRows.map(\.name),
            directoryGroups: groupRows.filter { $0.ldap != nil }.map(\.name),
            appPasswords: try self.values(
                of: String.self,
                sql: "SELECT name FROM appPassword WHERE user = ? ORDER BY name",
                arguments: [user]
            ),
            role: row.role,
            osUser: row.osUser,
            wasDisabled: row.disabled,
            walls: try self.walls(where: RowFilter(naming: rules, table: "w.")).map(\.row),
            withdrawals: try self.withdrawals(where: RowFilter(naming: rules, table: "w."))
                .map(\.row)
        )
    }

    /// The accounts that a user owns.
    private func accounts(of owner: Int64) throws -> [Int64] {
        try self.values(
            of: Int64.self,
            sql: "SELECT id FROM account WHERE owner = ? ORDER BY id",
            arguments: [owner]
        )
    }

    /// Makes another user the owner of a user's accounts, or nobody.
    fileprivate func hand(accountsOf user: Int64, to successor: Int64?) throws {
        try self.execute(
            sql: "UPDATE account SET owner = ? WHERE owner = ?",
            arguments: [successor, user]
        )
    }

    /// Adds the walls and the withdrawals by which groups keep a user out, in the user's own name:
    /// the user leaves the groups.
    fileprivate func keepOut(
        _ user: Int64,
        as departure: UserDeparture,
        actor: String
    ) throws {
        let subject = Subject.user(UserID(user))
        let (ofGroups, own) = (
            departure.walls.filter { $0.subject != departure.login },
            Set(departure.walls.lazy.filter { $0.subject == departure.login }.map(\.account))
        )
        for (account, walls) in Dictionary(grouping: ofGroups, by: \.account)
        where !own.contains(account) {
            let wall = NewWall(
                account: try self.accountID(text: account),
                accountName: account,
                subject: subject,
                subjectName: departure.login,
                reason: walls.map { "\($0.reason) (\($0.subject))" }.joined(separator: "; ")
            )
            try self.insert(wall, actor: actor)
        }
        let here = departure.withdrawals.filter { $0.source == Source.local.rawValue }
        for (account, withdrawals) in Dictionary(grouping: here, by: \.account)
        where withdrawals.contains(where: { $0.subject != departure.login }) {
            let sides = withdrawals.reduce(into: Sides()) { sides, row in
                sides.formUnion(Sides(view: row.view, send: row.send))
            }
            let key = SubjectOnAccount(
                account: try self.accountID(text: account),
                subject: subject
            )
            try self.setWithdrawn(sides, from: key, actor: actor)
        }
    }

    /// Removes a user's grants, memberships, app passwords, subscriptions, password, role and
    /// operating-system user, and disables the user.
    fileprivate func takeEverything(from user: Int64) throws {
        // A load that waits to be saved still has the user's grants: it has to be made again.
        let imported = try self.values(
            of: Int64.self,
            sql: "SELECT DISTINCT account FROM \"grant\" WHERE user = ? AND source = 'exchange'",
            arguments: [user]
        )
        for account in imported { try self.permissionsChanged(account) }
        for table in ["\"grant\"", "member", "appPassword", "subscription"] {
            try self.execute(sql: "DELETE FROM \(table) WHERE user = ?", arguments: [user])
        }
        try self.execute(
            sql: """
                UPDATE user SET disabled = 1, role = NULL, osUser = NULL, password = NULL,
                    passwordVersion = passwordVersion + 1
                WHERE id = ?
                """,
            arguments: [user]
        )
    }
}
