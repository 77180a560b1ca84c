import Access

/// Applying a document to the store.
extension PermissionStore {
    /// Makes the store equal to the document, in one transaction. A part that is nil in the
    /// document stays as it is. Users and accounts that stay keep their passwords and
    /// credentials.
    /// - Parameters:
    ///   - dryRun: Whether to compute the changes and roll back.
    ///   - revision: The revision for which the changes were shown; nil applies to any
    ///     revision.
    ///   - consent: The consent setting of the command's configuration.
    ///   - actor: The name that the audit log records.
    /// - Returns: The changes, one line each.
    /// - Throws: ``StoreError`` if the revision differs, or the document cannot be applied;
    ///   then nothing is changed.
    package func apply(
        _ document: ModelDocument,
        dryRun: Bool,
        revision: Int64? = nil,
        consent: Consent = .off,
        actor: String
    ) throws -> ModelChanges {
        var changes = ModelChanges()
        func details(_ changes: ModelChanges) -> [String] {
            changes.removed.map { "- \($0)" } + changes.added.map { "+ \($0)" }
        }
        do {
            _ = try self.edit(
                Edit(actor: actor, action: "apply", removesSecrets: true),
                details: details
            ) {
                transaction in
                changes.revision = try transaction.revision()
                guard revision == nil || revision == changes.revision else {
                    throw StoreError.refused(
                        "the store was changed after the changes were shown; nothing was "
                            + "applied: review the changes again"
                    )
                }
                let before = try transaction.document()
                if let users = document.users { try transaction.apply(users: users) }
                if let groups = document.groups { try transaction.apply(groups: groups) }
                if let accounts = document.accounts { try transaction.apply(accounts: accounts) }
                if let grants = document.grants {
                    try transaction.apply(grants: grants, consent: consent, actor: actor)
                }
                if let withdrawals = document.withdrawals {
                    try transaction.apply(withdrawals: withdrawals, actor: actor)
                }
                if let walls = document.walls {
                    try transaction.apply(walls: walls, actor: actor)
                }
                let after = try transaction.document()
                (changes.added, changes.removed) = after.changes(from: before)
                if dryRun { throw StoreTransaction.DryRun() }
                return changes
            }
        } catch is StoreTransaction.DryRun {
            return changes
        }
        return changes
    }
}

/// Each part of a document, inside the transaction that applies it.
extension StoreTransaction {
    /// Rolls the transaction back after a dry run.
    struct DryRun: Error {}

    /// Adds, changes and removes users. Operating-system names are assigned last, because two
    /// users may exchange theirs.
    /// - Throws: ``StoreError`` for a login that occurs twice, an unknown role, an invalid
    ///   login, and for the removal of a user whom a withdrawal or a wall keeps out.
    func apply(users: [UserRow]) throws {
        var kept: Set<ExactText> = []
        for user in users {
            let login = try Self.login(user.login).description
            guard kept.insert(ExactText(login)).inserted else {
                throw StoreError.refused("user \(login) occurs twice in the document: remove one")
            }
            guard user.role == nil || ["administrator", "settings"].contains(user.role) else {
                throw StoreError.refused(
                    "the role of \(login) must be administrator, settings or null"
                )
            }
            try self.execute(
                sql: """
                    INSERT INTO user (login, name, disabled) VALUES (?, ?, ?)
                    ON CONFLICT (login) DO UPDATE SET
                    name = excluded.name, disabled = excluded.disabled, role = NULL, osUser = NULL
                    """,
                arguments: [login, user.name, user.disabled]
            )
        }
        for row in try self.rows(sql: "SELECT id, login FROM user")
        where !kept.contains(ExactText(row["login"])) {
            let id: Int64 = row["id"]
            try self.requireNotKeptOut(.user(UserID(id)), name: row["login"])
            try self.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
        }
        // Operating-system names are unique, and users may exchange theirs: all were cleared
        // above.
        for user in users {
            let id = try self.userID(login: user.login)
            let role = user.role.flatMap(Role.init)
            try self.setRole(role, osUser: user.osUser, of: id)
        }
    }

    /// Adds and removes groups, then writes all memberships anew.
    /// - Throws: ``StoreError`` for a name that occurs twice, an invalid name, an unknown
    ///   member, a cycle, and for the removal of a group that a withdrawal or a wall keeps out.
    func apply(groups: [GroupRow]) throws {
        let names = groups.map { ExactText($0.name) }
        try Self.requireDistinct("groups", keys: names.map { [$0] }) { "group:\(groups[$0].name)" }
        let kept = Set(names)
        for name in try self.values(of: String.self, sql: "SELECT name FROM \"group\"")
        where !kept.contains(ExactText(name)) {
            let id = try self.groupID(name: name)
            try self.requireNotKeptOut(
                .group(GroupID(id)),
                name: "group:\(name)"
            )
            try self.execute(sql: "DELETE FROM \"group\" WHERE name = ?", arguments: [name])
        }
        for name in names.sorted().map(\.text) {
            try Self.requireGroupName(name)
            try self.execute(
                sql: "INSERT OR IGNORE INTO \"group\" (name) VALUES (?)",
                arguments: [name]
            )
        }
        try self.execute(sql: "DELETE FROM member")
        for group in groups {
            let id = try self.groupID(name: group.name)
            for member in group.members {
                try self.insert(member, into: id, name: group.name)
            }
        }
    }

    /// Adds, changes and removes accounts. All aliases are deleted first, because accounts may
    /// exchange theirs.
    /// - Throws: ``StoreError`` for an address that occurs twice, and as ``apply(_:)``.
    func apply(accounts: [ModelDocument.Account]) throws {
        let addresses = try accounts.map { try PermissionStore.address($0.address) }
        try Self.requireDistinct("accounts", keys: addresses.map { [$0] }) {
            addresses[$0].description
        }
        let kept = Set(addresses.map { ExactText($0.description) })
        let present = try self.rows(
            sql: "SELECT address, account FROM address WHERE isPrimary = 1"
        )
        for row in present where !kept.contains(ExactText(row["address"])) {
            try self.execute(
                sql: "DELETE FROM account WHERE id = ?",
                arguments: [row["account"] as Int64]
            )
        }
        try self.execute(sql: "DELETE FROM address WHERE isPrimary = 0")
        for account in accounts { try self.apply(account) }
    }

    /// Adds or changes one account; the credential stays as it is.
    /// - Throws: ``StoreError`` for an unknown kind, a change of kind, an unknown owner, an
    ///   unusable endpoint, and an address in use.
    func apply(_ account: ModelDocument.Account) throws {
        let address = try PermissionStore.address(account.address)
        guard let kind = Access.Account.Kind(rawValue: account.kind) else {
            throw StoreError.refused("the kind of \(address) must be imap or exchange")
        }
        let imap = try Self.endpoint(account.imap, address: address)
        let smtp = try account.smtp.map { try Self.endpoint($0, address: address) }
        let owner = try account.owner.map { try self.userID(login: $0) }
        var id = try self.value(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE address = ? AND isPrimary = 1",
            arguments: [address.description]
        )
        if let id, try self.kind(of: id) != kind {
            throw StoreError.refused(
                "the kind of \(address) cannot change: remove the account and add it again"
            )
        }
        if id == nil {
            try self.checkFree(address)
            try self.execute(
                sql: """
                    INSERT INTO account (kind, imapHost, imapPort, imapTLS, username)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    kind.rawValue, imap.host, imap.port, imap.tls.rawValue, address.description,
                ]
            )
            id = self.insertedKey
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
        }
        try self.execute(
            sql: """
                UPDATE account SET kind = ?, owner = ?, imapHost = ?, imapPort = ?, imapTLS = ?,
                smtpHost = ?, smtpPort = ?, smtpTLS = ?, sentCopy = ?,
                sentCopyRequired = ?, username = coalesce(?, username), caFile = ? WHERE id = ?
                """,
            arguments: [
                kind.rawValue, owner, imap.host, imap.port, imap.tls.rawValue, smtp?.host,
                smtp?.port, smtp?.tls.rawValue, account.sentCopy ?? "none",
                account.sentCopyRequired ?? false, account.username, account.caFile, id,
            ]
        )
        for alias in account.aliases ?? [] {
            let other = try PermissionStore.address(alias)
            try self.checkFree(other)
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 0)",
                arguments: [other.description, id]
            )
        }
    }

    /// - Throws: ``StoreError`` for an unknown `tls`, and as ``check(_:)``.
    private static func endpoint(
        _ server: AccountRow.Server,
        address: Address
    ) throws -> Endpoint {
        guard let tls = Endpoint.Security(rawValue: server.tls) else {
            throw StoreError.refused("the tls of \(address) must be implicit, starttls or none")
        }
        let endpoint = Endpoint(host: server.host, port: server.port, tls: tls)
        try Self.check(endpoint)
        return endpoint
    }
}
