package import Access
import Foundation
import GRDB
package import SASL

/// An account as it is added or changed; nil leaves a value as it is.
package struct AccountSettings: Sendable {
    package var kind: Account.Kind?
    /// A login; an empty one takes the owner away.
    package var owner: String?
    package var aliases: [String]?
    package var imap: Endpoint?
    package var smtp: Endpoint?
    package var caFile: String?
    package var username: String?
    package var password: Secret<String>?
    package var sentCopy: String?

    package init() {}

    /// What is set, for the audit log; no password.
    var changes: [String] {
        func server(_ name: String, endpoint: Endpoint?) -> String? {
            endpoint.map { "\(name) \($0.host):\($0.port) \($0.tls.rawValue)" }
        }
        return [
            self.kind.map { "kind \($0.rawValue)" }, self.owner.map { "owner \($0)" },
            self.aliases.map { "aliases \($0.joined(separator: " "))" },
            server("imap", endpoint: self.imap), server("smtp", endpoint: self.smtp),
            self.caFile.map { "ca \($0)" },
            self.username.map { "username \($0)" }, self.password.map { _ in "password" },
            self.sentCopy.map { "sent copy \($0)" },
        ].compactMap { $0 }
    }
}

/// An account as the command line shows it.
package struct AccountRow: Codable, Equatable, Sendable {
    package struct Server: Codable, Equatable, Sendable {
        package var host: String
        package var port: Int
        package var tls: String

        package init(host: String, port: Int, tls: String) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }

    package var address: String
    package var kind: String
    package var owner: String?
    package var aliases: [String]
    package var imap: Server
    package var smtp: Server?
    package var caFile: String?
    package var username: String
    package var hasCredential: Bool
    package var sentCopy: String
    /// When what is saved of Exchange's permissions was loaded, in seconds since 1970; nil where
    /// nothing was.
    @Nullable package var permissionsLoaded: Int64?
}

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
            actor: actor,
            "account add \(address)",
            account: address.description,
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
            actor: actor,
            "account set \(text)",
            account: text,
            removesSecrets: settings.password != nil,
            details: details
        ) { database in
            let id = try Self.accountID(database, text: text)
            try Self.apply(settings, to: id, database: database, masterKey: masterKey)
        }
    }

    package func removeAccount(_ text: String, actor: String) throws {
        try self.edit(
            actor: actor,
            "account remove \(text)",
            account: text,
            removesSecrets: true
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

    // MARK: - Writing

    static func checkFree(_ address: Address, database: Database) throws {
        let taken = try Int64.fetchOne(
            database,
            sql: "SELECT account FROM address WHERE address = ?",
            arguments: [address.description]
        )
        guard let taken else { return }
        throw StoreError.refused(
            "\(address) belongs to account \(try self.primary(of: taken, database)) already"
        )
    }

    private static func apply(
        _ settings: AccountSettings,
        to id: Int64,
        database: Database,
        masterKey: MasterKey
    ) throws {
        if let owner = settings.owner { try self.set(owner: owner, of: id, database) }
        if let aliases = settings.aliases { try self.set(aliases: aliases, of: id, database) }
        if let imap = settings.imap {
            try self.check(imap)
            try self.update(
                id,
                assignments: "imapHost = ?, imapPort = ?, imapTLS = ?",
                values: [imap.host, imap.port, imap.tls.rawValue],
                database: database
            )
        }
        if let smtp = settings.smtp {
            try self.check(smtp)
            try self.update(
                id,
                assignments: "smtpHost = ?, smtpPort = ?, smtpTLS = ?",
                values: [smtp.host, smtp.port, smtp.tls.rawValue],
                database: database
            )
        }
        if let caFile = settings.caFile {
            try self.update(id, assignments: "caFile = ?", values: [caFile], database: database)
        }
        if let sentCopy = settings.sentCopy {
            try self.update(id, assignments: "sentCopy = ?", values: [sentCopy], database: database)
        }
        if let username = settings.username {
            try self.checkCredential(username, what: "user name")
            try self.update(
                id,
                assignments: "username = ?, credentialVersion = credentialVersion + 1",
                values: [username],
                database: database
            )
        }
        guard let password = settings.password else { return }
        try self.checkCredential(password.value, what: "password")
        let sealed = try masterKey.seal(password.value, for: AccountID(id))
        try self.update(
            id,
            assignments: "password = ?, credentialVersion = credentialVersion + 1",
            values: [sealed],
            database: database
        )
    }

    private static func update(
        _ id: Int64,
        assignments: String,
        values: [any DatabaseValueConvertible],
        database: Database
    ) throws {
        try database.execute(
            sql: "UPDATE account SET \(assignments) WHERE id = ?",
            arguments: StatementArguments(values + [id])
        )
    }

    /// Says that a mailbox belongs to nobody: a function mailbox.
    private static let noOwner = "none"

    private static func set(owner: String, of id: Int64, _ database: Database) throws {
        let isNobody = owner.isEmpty || owner == self.noOwner
        let user = isNobody ? nil : try self.userID(database, login: owner)
        try database.execute(
            sql: "UPDATE account SET owner = ? WHERE id = ?",
            arguments: [user, id]
        )
    }

    private static func set(aliases: [String], of id: Int64, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM address WHERE account = ? AND isPrimary = 0",
            arguments: [id]
        )
        for alias in aliases {
            let address = try self.address(alias)
            try self.checkFree(address, database: database)
            try database.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 0)",
                arguments: [address.description, id]
            )
        }
    }

    /// A server without TLS may only be on this machine.
    static func check(_ endpoint: Endpoint) throws {
        guard !endpoint.host.isEmpty, endpoint.host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            (1...65_535).contains(endpoint.port)
        else { throw StoreError.refused("\(endpoint.host):\(endpoint.port) is no server") }
        let isLoopback =
            endpoint.host == "localhost" || endpoint.host == "::1"
            || self.isLoopbackAddress(endpoint.host)
        guard endpoint.tls != .none || isLoopback else {
            throw StoreError.refused(
                "--tls none is for servers on this machine only: \(endpoint.host) needs implicit "
                    + "or starttls"
            )
        }
    }

    /// `127.` and three numbers; not a host name that begins so.
    private static func isLoopbackAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func checkCredential(_ text: String, what: String) throws {
        guard UpstreamCredential.isLegal(text) else {
            throw StoreError.refused("the \(what) is empty or has control characters in it")
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
