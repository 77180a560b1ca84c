package import Access
package import SASL

/// The settings to write when an account is added or changed; nil leaves a value unchanged.
package struct AccountSettings: Sendable {
    /// Required when the account is added.
    package var kind: Account.Kind?
    /// The new owner's login; an empty text or `none` leaves the account without an owner.
    package var owner: String?
    /// All aliases; they replace those that the account has.
    package var aliases: [String]?
    /// Required when the account is added.
    package var imap: Endpoint?
    /// The server that accepts mail from this account.
    package var smtp: Endpoint?
    /// The path of a PEM file with the certificates to trust for both servers.
    package var caFile: String?
    /// The user name at the servers; the primary address when an account is added without one.
    package var username: String?
    /// The password at the servers, which is sealed before it is stored.
    package var password: Secret<String>?
    /// `owner`, `sender`, `both` or `none`; the schema rejects any other text.
    package var sentCopy: String?
    /// Whether a message is refused if no copy of it can be kept for the Sent folder.
    package var isSentCopyRequired: Bool?

    /// Creates settings that change nothing.
    package init() {}

    /// The values that are set, one text each, for the audit log. It names the password without
    /// its value.
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
            self.isSentCopyRequired.map { "sent copy \($0 ? "" : "not ")required" },
        ].compactMap { $0 }
    }
}
