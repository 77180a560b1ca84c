package import Access
package import Foundation

/// The servers of an account and the sealed credential for them.
package struct UpstreamAccount: Sendable {
    /// The account's number, for which the credential was sealed.
    package var id: AccountID
    /// IMAP or Exchange.
    package var kind: Account.Kind
    /// The primary address.
    package var address: String
    /// The server that holds the mailboxes.
    package var imap: Endpoint
    /// The server that accepts mail; nil if the account cannot send.
    package var smtp: Endpoint?
    /// The user name at both servers.
    package var username: String
    /// The encrypted password, which ``MasterKey/credential(of:)`` opens; nil if none was set.
    package var sealedPassword: Data?
    /// The number of changes of the user name or the password.
    package var credentialVersion: Int64

    /// The identity of a login at a server: the endpoint, the user name and the version of the
    /// credential. Pooled connections and known capabilities belong to one such identity and
    /// are never used for another.
    package struct Server: Hashable, Codable, Sendable {
        /// Compared octet for octet.
        private let host: ExactText
        /// The TCP port.
        private let port: Int
        /// How TLS starts: a connection without TLS is never used for one that needs it.
        private let tls: Endpoint.Security
        /// The trusted certificates: a connection that trusted others is never reused.
        private let caFile: ExactText?
        /// Compared octet for octet.
        private let username: ExactText
        /// Changes with each new user name or password.
        private let credentialVersion: Int64

        /// Takes the parts that identify the login.
        fileprivate init(_ endpoint: Endpoint, account: UpstreamAccount) {
            self.host = ExactText(endpoint.host)
            self.port = endpoint.port
            self.tls = endpoint.tls
            self.caFile = endpoint.caFile.map(ExactText.init)
            self.username = ExactText(account.username)
            self.credentialVersion = account.credentialVersion
        }
    }

    /// The login at the IMAP server.
    package var server: Server { Server(self.imap, account: self) }

    /// The login at the SMTP server; nil if the account cannot send.
    package var sendingServer: Server? { self.smtp.map { Server($0, account: self) } }

    /// Whether the gateway logs in with an OAuth token of its application, at Exchange Online.
    /// An Exchange account with a password is on a server on premises.
    package var usesToken: Bool { self.kind == .exchange && self.sealedPassword == nil }
}
