import Access
import Foundation
import SASL

/// Validation and storage of the settings of an account.
extension StoreTransaction {
    /// - Throws: ``StoreError`` of kind `refused` if the address belongs to an account.
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

    /// Writes the settings that are not nil. A new user name or password increments the
    /// account's `credentialVersion`, so that no pooled connection with the old credential is
    /// reused.
    /// - Parameters:
    ///   - id: The key of the account's row.
    ///   - masterKey: Seals the password for this account.
    /// - Throws: ``StoreError`` for an unknown owner, an address in use, an unusable endpoint,
    ///   or a credential that is empty or has control characters.
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
        if let isRequired = settings.isSentCopyRequired {
            try self.update(id, assignments: "sentCopyRequired = ?", values: [isRequired])
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

    /// Writes columns of one account's row.
    /// - Parameters:
    ///   - assignments: The part after `SET`, with one `?` for each value.
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

    /// The word that stands for no owner, as for a shared function mailbox.
    private static let noOwner = "none"

    /// Sets or removes the owner.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login.
    private func set(owner: String, of id: Int64) throws {
        let isNobody = owner.isEmpty || owner == Self.noOwner
        let user = isNobody ? nil : try self.userID(login: owner)
        try self.execute(
            sql: "UPDATE account SET owner = ? WHERE id = ?",
            arguments: [user, id]
        )
    }

    /// Replaces all aliases.
    /// - Throws: ``StoreError`` for an invalid address, and for one that belongs to an account.
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

    /// - Throws: ``StoreError`` for an empty or non-ASCII host, a port outside 1 to 65535, and
    ///   for a server without TLS that is not on this machine: the credential would cross a
    ///   network in clear.
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

    /// Whether the text is an IPv4 address in 127.0.0.0/8. A host name such as `127.example` is
    /// not.
    static func isLoopbackAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// - Parameter what: The name of the value in the error message.
    /// - Throws: ``StoreError`` for text that is empty or has control characters, which could
    ///   inject a line into the login at the server.
    private static func checkCredential(_ text: String, what: String) throws {
        guard UpstreamCredential.isLegal(text.utf8) else {
            throw StoreError.refused("the \(what) is empty or has control characters in it")
        }
    }
}
