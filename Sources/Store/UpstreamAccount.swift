package import Access
package import Foundation

/// An account's server and the sealed credential for it.
package struct UpstreamAccount: Sendable {
    package var id: AccountID
    package var kind: Account.Kind
    package var address: String
    package var imap: Endpoint
    package var smtp: Endpoint?
    package var username: String
    package var sealedPassword: Data?
    /// Counts the changes of the credential.
    package var credentialVersion: Int64

    /// A server, the login there, and the version of its credential: what is learnt by one, and a
    /// connection, are good for no other.
    package struct Server: Hashable, Codable, Sendable {
        private let host: ExactText
        private let port: Int
        private let tls: Endpoint.Security
        private let caFile: ExactText?
        private let username: ExactText
        private let credentialVersion: Int64

        fileprivate init(_ endpoint: Endpoint, account: UpstreamAccount) {
            self.host = ExactText(endpoint.host)
            self.port = endpoint.port
            self.tls = endpoint.tls
            self.caFile = endpoint.caFile.map(ExactText.init)
            self.username = ExactText(account.username)
            self.credentialVersion = account.credentialVersion
        }
    }

    package var server: Server { Server(self.imap, account: self) }

    /// Nil where the account has no server for sending.
    package var sendingServer: Server? { self.smtp.map { Server($0, account: self) } }

    /// Whether the gateway logs in as its application, at Exchange Online; with a password it is a
    /// server on premises.
    package var usesToken: Bool { self.kind == .exchange && self.sealedPassword == nil }
}
