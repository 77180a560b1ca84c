import Access
import Foundation
import GRDB

extension PermissionStore {
    package func addAccount(
        _ text: String,
        settings: AccountSettings,
        masterKey: MasterKey,
        actor: String
    ) throws {
        let address = try Self.address(text)
        guard let kind = settings.kind, let imap = settings.imap else {
            throw StoreError.refused("an account needs --kind and --imap HOST[:PORT]")
        }
        func details(_: Void) -> [String] { settings.changes }
        try self.edit(
            Edit(actor: actor, "account add \(address)", account: address.description),
            details: details
        ) { database in
            try Self.checkFree(address, database: database)
            try database.execute(
                sql: """
                    INSERT INTO account (kind, imapHost, imapPort, imapTLS, username)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    kind.rawValue, imap.host, imap.port, imap.tls.rawValue,
                    settings.username ?? address.description,
                ]
            )
            let id = database.lastInsertedRowID
            try database.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
            try Self.apply(settings, to: id, database: database, masterKey: masterKey)
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
        ) { database in
            let id = try Self.accountID(database, text: text)
            try Self.apply(settings, to: id, database: database, masterKey: masterKey)
        }
    }

    package func removeAccount(_ text: String, actor: String) throws {
        try self.edit(
            Edit(actor: actor, "account remove \(text)", account: text, removesSecrets: true)
        ) { database in
            let id = try Self.accountID(database, text: text)
            try database.execute(sql: "DELETE FROM account WHERE id = ?", arguments: [id])
        }
    }

    package func accounts() throws -> [AccountRow] {
        try self.read { database in
            try Int64.fetchAll(
                database,
                sql: "SELECT account FROM address WHERE isPrimary = 1 ORDER BY address"
            ).map { try Self.row(of: $0, database) }
        }
    }

    package func account(_ text: String) throws -> AccountRow {
        try self.read { database in
            try Self.row(of: try Self.accountID(database, text: text), database)
        }
    }

    /// What a probe of the account's server needs.
    package func upstream(_ text: String) throws -> UpstreamAccount {
        try self.read { database in
            let id = try Self.accountID(database, text: text)
            let row = try Row.fetchOne(
                database,
                sql: "SELECT * FROM account WHERE id = ?",
                arguments: [id]
            )
            guard let row else { throw StoreError.notFound("no account \(text)") }
            return Self.upstream(
                row,
                id: AccountID(id),
                address: try Self.primary(of: id, database)
            )
        }
    }

    // MARK: - Reading

    static func primary(of id: Int64, _ database: Database) throws -> String {
        try String.fetchOne(
            database,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 1",
            arguments: [id]
        ) ?? "?"
    }

    static func row(of id: Int64, _ database: Database) throws -> AccountRow {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT account.*, user.login FROM account
                LEFT JOIN user ON user.id = account.owner WHERE account.id = ?
                """,
            arguments: [id]
        )
        guard let row else { throw StoreError.notFound("no such account") }
        let aliases = try String.fetchAll(
            database,
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
            address: try self.primary(of: id, database),
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
