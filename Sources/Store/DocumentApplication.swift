import Access

/// A document applied to the store.
extension PermissionStore {
    /// Makes the store equal to the document for every part that it has, in one transaction.
    /// Passwords and credentials of users and accounts that stay are left alone.
    ///
    /// - Parameters:
    ///   - dryRun: whether to work out the changes only.
    ///   - revision: of the store that they were worked out for; another one refuses.
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
            _ = try self.edit(Edit(actor: actor, "apply", removesSecrets: true), details: details) {
                transaction in
                changes.revision = try transaction.revision()
                guard revision == nil || revision == changes.revision else {
                    throw StoreError.refused(
                        "somebody changed something after the changes were shown; nothing was "
                            + "applied: look again"
                    )
                }
                let before = try transaction.document()
                if let users = document.users { try transaction.apply(users: users) }
                if let groups = document.groups { try transaction.apply(groups: groups) }
                if let accounts = document.accounts { try transaction.apply(accounts: accounts) }
                if let grants = document.grants {
                    try transaction.apply(grants: grants, consent, actor: actor)
                }
                if let withdrawals = document.withdrawals {
                    try transaction.apply(withdrawals: withdrawals, actor)
                }
                if let walls = document.walls {
                    try transaction.apply(walls: walls, actor)
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

/// The same within a transaction.
extension StoreTransaction {
    /// Rolls the transaction back.
    struct DryRun: Error {}

    func apply(users: [UserRow]) throws {
        var kept: Set<ExactText> = []
        for user in users {
            let login = try Self.login(user.login).description
            guard kept.insert(ExactText(login)).inserted else {
                throw StoreError.refused("user \(login) stands in the document twice")
            }
            guard user.role == nil || ["administrator", "settings"].contains(user.role) else {
                throw StoreError.refused("role of \(login): administrator, settings, or none")
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
        // Names at the operating system may have changed hands.
        for user in users {
            let id = try self.userID(login: user.login)
            let role = user.role.flatMap(Role.init)
            try self.setRole(role, osUser: user.osUser, of: id)
        }
    }

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

    func apply(_ account: ModelDocument.Account) throws {
        let address = try PermissionStore.address(account.address)
        guard let kind = Access.Account.Kind(rawValue: account.kind) else {
            throw StoreError.refused("kind of \(address): imap or exchange")
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
                "\(address) cannot become an account of another kind: remove it and add it anew"
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
                username = coalesce(?, username), caFile = ? WHERE id = ?
                """,
            arguments: [
                kind.rawValue, owner, imap.host, imap.port, imap.tls.rawValue, smtp?.host,
                smtp?.port, smtp?.tls.rawValue, account.sentCopy ?? "none", account.username,
                account.caFile, id,
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

    private static func endpoint(
        _ server: AccountRow.Server,
        address: Address
    ) throws -> Endpoint {
        guard let tls = Endpoint.Security(rawValue: server.tls) else {
            throw StoreError.refused("tls of \(address): implicit, starttls or none")
        }
        let endpoint = Endpoint(host: server.host, port: server.port, tls: tls)
        try Self.check(endpoint)
        return endpoint
    }
}
