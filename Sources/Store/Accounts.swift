import Access
import Foundation

extension PermissionStore {
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
            Edit(actor: actor, "account add \(address)", account: address.description),
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
            let id = transaction.insertedKey
            try transaction.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
            try transaction.apply(settings, to: id, masterKey: masterKey)
        }
    }

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
                "account set \(text)",
                account: text,
                removesSecrets: settings.password != nil
            ),
            details: details
        ) { transaction in
            let id = try transaction.accountID(text: text)
            try transaction.apply(settings, to: id, masterKey: masterKey)
        }
    }

    package func removeAccount(_ text: String, actor: String) throws {
        try self.edit(
            Edit(actor: actor, "account remove \(text)", account: text, removesSecrets: true)
        ) { transaction in
            let id = try transaction.accountID(text: text)
            try transaction.execute(sql: "DELETE FROM account WHERE id = ?", arguments: [id])
        }
    }

    package func accounts() throws -> [AccountRow] {
        try self.read { transaction in
            try transaction.values(
                of: Int64.self,
                sql: "SELECT account FROM address WHERE isPrimary = 1 ORDER BY address"
            ).map { try transaction.row(of: $0) }
        }
    }

    package func account(_ text: String) throws -> AccountRow {
        try self.read { transaction in
            try transaction.row(of: try transaction.accountID(text: text))
        }
    }

    /// What a probe of the account's server needs.
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

    // MARK: - Reading
}

/// The same within a transaction.
extension StoreTransaction {
    func primary(of id: Int64) throws -> String {
        try self.value(
            of: String.self,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 1",
            arguments: [id]
        ) ?? "?"
    }

    func row(of id: Int64) throws -> AccountRow {
        let row = try self.row(
            sql: """
                SELECT account.*, user.login FROM account
                LEFT JOIN user ON user.id = account.owner WHERE account.id = ?
                """,
            arguments: [id]
        )
        guard let row else { throw StoreError.notFound("no such account") }
        let aliases = try self.values(
            of: String.self,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 0 ORDER BY address",
            arguments: [id]
        )
        var smtp: AccountRow.Server?
        if let host: String = row["smtpHost"] {
            smtp = AccountRow.Server(
                host: host,
                port: row["smtpPort"] ?? 465,
                tls: row["smtpTLS"] ?? "implicit"
            )
        }
        return AccountRow(
            address: try self.primary(of: id),
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
            permissionsLoaded: row["permissionsLoaded"]
        )
    }
}
