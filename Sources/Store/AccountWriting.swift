import Access
import Foundation
import GRDB
import SASL

/// The settings of an account, checked and written.
extension PermissionStore {
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

    static func apply(
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
}
