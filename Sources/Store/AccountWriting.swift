import Access
import Foundation
import SASL

/// The settings of an account, checked and written.
extension StoreTransaction {
    func checkFree(_ address: Address) throws {
        let taken = try self.value(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE address = ?",
            arguments: [address.description]
        )
        guard let taken else { return }
        throw StoreError.refused(
            "\(address) belongs to account \(try self.primary(of: taken)) already"
        )
    }

    func apply(
        _ settings: AccountSettings,
        to id: Int64,
        masterKey: MasterKey
    ) throws {
        if let owner = settings.owner { try self.set(owner: owner, of: id) }
        if let aliases = settings.aliases { try self.set(aliases: aliases, of: id) }
        if let imap = settings.imap {
            try Self.check(imap)
            try self.update(
                id,
                assignments: "imapHost = ?, imapPort = ?, imapTLS = ?",
                values: [imap.host, imap.port, imap.tls.rawValue]
            )
        }
        if let smtp = settings.smtp {
            try Self.check(smtp)
            try self.update(
                id,
                assignments: "smtpHost = ?, smtpPort = ?, smtpTLS = ?",
                values: [smtp.host, smtp.port, smtp.tls.rawValue]
            )
        }
        if let caFile = settings.caFile {
            try self.update(id, assignments: "caFile = ?", values: [caFile])
        }
        if let sentCopy = settings.sentCopy {
            try self.update(id, assignments: "sentCopy = ?", values: [sentCopy])
        }
        if let username = settings.username {
            try Self.checkCredential(username, what: "user name")
            try self.update(
                id,
                assignments: "username = ?, credentialVersion = credentialVersion + 1",
                values: [username]
            )
        }
        guard let password = settings.password else { return }
        try Self.checkCredential(password.value, what: "password")
        let sealed = try masterKey.seal(password.value, for: AccountID(id))
        try self.update(
            id,
            assignments: "password = ?, credentialVersion = credentialVersion + 1",
            values: [sealed]
        )
    }

    private func update(
        _ id: Int64,
        assignments: String,
        values: [any StoreValue]
    ) throws {
        try self.execute(
            sql: "UPDATE account SET \(assignments) WHERE id = ?",
            arguments: StoreArguments(values + [id])
        )
    }

    /// Says that a mailbox belongs to nobody: a function mailbox.
    private static let noOwner = "none"

    private func set(owner: String, of id: Int64) throws {
        let isNobody = owner.isEmpty || owner == Self.noOwner
        let user = isNobody ? nil : try self.userID(login: owner)
        try self.execute(
            sql: "UPDATE account SET owner = ? WHERE id = ?",
            arguments: [user, id]
        )
    }

    private func set(aliases: [String], of id: Int64) throws {
        try self.execute(
            sql: "DELETE FROM address WHERE account = ? AND isPrimary = 0",
            arguments: [id]
        )
        for alias in aliases {
            let address = try PermissionStore.address(alias)
            try self.checkFree(address)
            try self.execute(
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
            || Self.isLoopbackAddress(endpoint.host)
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
        guard UpstreamCredential.isLegal(text.utf8) else {
            throw StoreError.refused("the \(what) is empty or has control characters in it")
        }
    }
}
