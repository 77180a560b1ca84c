package import Access
import Foundation
package import SASL

/// Accounts: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Adds an account.
    /// - Parameters:
    ///   - text: The primary address.
    ///   - settings: `kind` and `imap` are required.
    ///   - masterKey: Seals the password.
    ///   - actor: The name that the audit log records.
    /// - Throws: ``StoreError`` for an invalid or used address, missing settings, or settings
    ///   that cannot be stored.
    package func addAccount(
        _ text: String,
        settings: AccountSettings,
        masterKey: MasterKey,
        actor: String
    ) throws {
        let address = try PermissionStore.address(text)
        guard let kind = settings.kind, let imap = settings.imap else {
            throw StoreError.refused("an account needs --kind and --imap HOST[:PORT]")
        }
        func details(_: Void) -> [String] { settings.changes }
        try self.edit(
            Edit(actor: actor, action: "account add \(address)", account: address.description),
            details: details
        ) { transaction in
            try transaction.checkFree(address)
            try transaction.execute(
                sql: """
                    INSERT INTO account (kind, imapHost, imapPort, imapTLS, username)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    kind.rawValue, imap.host, imap.port, imap.tls.rawValue,
                    settings.username ?? address.description,
                ]
            )
            let id = try transaction.insertedKey()
            try transaction.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
            try transaction.apply(settings, to: id, masterKey: masterKey)
        }
    }

    /// Changes the settings of an account that are not nil. A new password also clears the old
    /// one from the store's files.
    /// - Parameter text: Any address of the account.
    /// - Throws: ``StoreError`` for an unknown account, or settings that cannot be stored.
    package func setAccount(
        _ text: String,
        settings: AccountSettings,
        masterKey: MasterKey,
        actor: String
    ) throws {
        func details(_: Void) -> [String] { settings.changes }
        try self.edit(
            Edit(
                actor: actor,
                action: "account set \(text)",
                account: text,
                removesSecrets: settings.password != nil
            ),
            details: details
        ) { transaction in
            let id = try transaction.accountID(text: text)
            try transaction.apply(settings, to: id, masterKey: masterKey)
        }
    }

    /// Stores a password that an account's IMAP server accepted when its owner logged in.
    /// - Parameters:
    ///   - account: The server and the credential that were in force when the password was tried.
    ///     If one of them or the owner has changed since, nothing is stored.
    ///   - owner: The user who logged in.
    ///   - from: The network of the login, for the audit log.
    /// - Returns: Whether it was stored.
    package func learnPassword(
        _ password: Secret<String>,
        of account: UpstreamAccount,
        owner: UserID,
        masterKey: MasterKey,
        from: String
    ) throws -> Bool {
        let login = try self.read {
            try $0.value(
                of: String.self,
                sql: "SELECT login FROM user WHERE id = ? AND disabled = 0",
                arguments: [owner.rawValue]
            )
        }
        guard let login else { return false }
        var settings = AccountSettings()
        settings.password = password
        do {
            try self.edit(
                Edit(
                    actor: login,
                    from: from,
                    action: "account learn \(account.address)",
                    account: account.address,
                    removesSecrets: true
                )
            ) { transaction in
                let row = try transaction.row(
                    sql:
                        "SELECT * FROM account WHERE id = ? AND owner = ? AND kind = 'imap' AND disabled = 0",
                    arguments: [account.id.rawValue, owner.rawValue]
                )
                let present = row.map {
                    StoreTransaction.upstream($0, id: account.id, address: account.address)
                }
                guard present?.server == account.server else { throw Outdated() }
                try transaction.apply(settings, to: account.id.rawValue, masterKey: masterKey)
            }
        } catch is Outdated {
            return false
        }
        return true
    }

    /// The account has changed since a password was tried.
    private struct Outdated: Error {}

    /// Removes an account with everything that refers to it: addresses, grants, withdrawals,
    /// walls, stages, notices, subscriptions and transfers; the schema's foreign keys cascade.
    /// The sealed credential is cleared from the store's files.
    /// - Parameter text: Any address of the account.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account.
    package func removeAccount(_ text: String, actor: String) throws {
        try self.edit(
            Edit(
                actor: actor,
                action: "account remove \(text)",
                account: text,
                removesSecrets: true
            )
        ) { transaction in
            let id = try transaction.accountID(text: text)
            try transaction.execute(sql: "DELETE FROM account WHERE id = ?", arguments: [id])
        }
    }

    /// All accounts, sorted by primary address.
    package func accounts() throws -> [AccountRow] {
        try self.read { try $0.accountRows() }
    }

    /// One account, found by any of its addresses.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account.
    package func account(_ text: String) throws -> AccountRow {
        try self.read { transaction in
            try transaction.row(of: try transaction.accountID(text: text))
        }
    }

    /// The servers and the sealed credential of an account, for a command that connects to
    /// them.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account.
    package func upstream(_ text: String) throws -> UpstreamAccount {
        try self.read { transaction in
            let id = try transaction.accountID(text: text)
            let row = try transaction.row(
                sql: "SELECT * FROM account WHERE id = ?",
                arguments: [id]
            )
            guard let row else { throw StoreError.notFound("no account \(text)") }
            return StoreTransaction.upstream(
                row,
                id: AccountID(id),
                address: try transaction.primary(of: id)
            )
        }
    }
}

/// Reading of accounts inside a transaction.
extension StoreTransaction {
    /// The primary address of an account; `?` if the account is gone.
    func primary(of id: Int64) throws -> String {
        try self.value(
            of: String.self,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 1",
            arguments: [id]
        ) ?? "?"
    }

    /// The primary addresses of accounts, by key.
    func primaries(of ids: Set<Int64>) throws -> [Int64: String] {
        var addresses: [Int64: String] = [:]
        try RowFilter("account", in: ids).and("isPrimary = 1").forEach(
            self,
            of: "SELECT account, address FROM address"
        ) { addresses[$0[0]] = $0[1] as String }
        return addresses
    }

    /// An account with its owner and aliases.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown key.
    func row(of id: Int64) throws -> AccountRow {
        guard let row = try self.accountRows(where: RowFilter("account.id", in: [id])).first else {
            throw StoreError.notFound("no such account")
        }
        return row
    }

    /// Accounts with their owners and aliases, sorted by primary address, in two queries.
    /// - Parameter filter: A condition on the tables `account` and `address`, joined.
    func accountRows(where filter: RowFilter = .all) throws -> [AccountRow] {
        let joined = "FROM account JOIN address ON address.account = account.id"
        var aliases: [Int64: [String]] = [:]
        try filter.and("isPrimary = 0").forEach(
            self,
            of: "SELECT account.id, address.address \(joined)",
            order: "ORDER BY address.address"
        ) { aliases[$0[0], default: []].append($0[1]) }
        var rows: [AccountRow] = []
        try filter.and("isPrimary = 1").forEach(
            self,
            of: """
                SELECT account.*, address.address AS primaryAddress, users.login \(joined)
                LEFT JOIN user AS users ON users.id = account.owner
                """,
            order: "ORDER BY address.address"
        ) { rows.append(Self.account($0, aliases: aliases[$0["id"]] ?? [])) }
        return rows
    }

    /// A row of the joined query as a row of a list.
    private static func account(_ row: StoreRow, aliases: [String]) -> AccountRow {
        let smtp = (row["smtpHost"] as String?).map { host in
            AccountRow.Server(
                host: host,
                port: row["smtpPort"] ?? 465,
                tls: row["smtpTLS"] ?? "implicit"
            )
        }
        return AccountRow(
            address: row["primaryAddress"],
            kind: row["kind"],
            owner: row["login"],
            aliases: aliases,
            imap: AccountRow.Server(
                host: row["imapHost"],
                port: row["imapPort"],
                tls: row["imapTLS"]
            ),
            smtp: smtp,
            caFile: row["caFile"],
            username: row["username"],
            hasCredential: (row["password"] as Data?) != nil,
            sentCopy: row["sentCopy"],
            sentCopyRequired: row["sentCopyRequired"],
            permissionsLoaded: row["permissionsLoaded"]
        )
    }
}
