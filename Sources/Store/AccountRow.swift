/// An account as `gatepost account list` and `show` print it, in text and in JSON.
package struct AccountRow: Codable, Equatable, Sendable {
    /// An IMAP or SMTP server of an account.
    package struct Server: Codable, Equatable, Sendable {
        /// A DNS name or an IP address.
        package var host: String
        /// A TCP port, 1 to 65535.
        package var port: Int
        /// `implicit`, `starttls` or `none`; see ``Endpoint/Security``.
        package var tls: String

        /// Creates a server from its three values without checking them.
        package init(host: String, port: Int, tls: String) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }

    /// The primary address.
    package var address: String
    /// `imap` or `exchange`.
    package var kind: String
    /// The owner's login; nil for an account without an owner.
    package var owner: String?
    /// The other addresses of the account, sorted.
    package var aliases: [String]
    /// The server that holds the mailboxes.
    package var imap: Server
    /// The server that accepts mail from this account; nil if the account cannot send.
    package var smtp: Server?
    /// The path of a PEM file with the certificates to trust; nil for the system's
    /// certificates.
    package var caFile: String?
    /// The user name with which the gateway logs in to the servers.
    package var username: String
    /// Whether a sealed password is stored. The password itself is never shown.
    package var hasCredential: Bool
    /// Whose Sent folder receives a copy: `owner`, `sender`, `both` or `none`.
    package var sentCopy: String
    /// Whether a message is refused if no copy of it can be kept for the Sent folder.
    package var sentCopyRequired: Bool
    /// When the saved Exchange permissions were loaded, in seconds since 1970; nil if none are
    /// saved.
    @Nullable package var permissionsLoaded: Int64?
}
