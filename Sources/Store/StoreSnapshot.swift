package import Access
package import Foundation

/// Everything a running gateway needs from the store, at one moment; immutable.
package final class StoreSnapshot: Sendable {
    package let access: Snapshot
    package let endpoints: [AccountID: UpstreamAccount]
    package let passwords: [UserID: PasswordRecord]
    /// Counts the files that were the store since the process began.
    private let generation: Int

    init(
        access: Snapshot,
        endpoints: [AccountID: UpstreamAccount],
        passwords: [UserID: PasswordRecord],
        generation: Int = 0
    ) {
        self.access = access
        self.endpoints = endpoints
        self.passwords = passwords
        self.generation = generation
    }

    /// Whether it was read from an earlier file, or is an earlier revision of the same one.
    package func isOlder(than other: StoreSnapshot) -> Bool {
        (self.generation, self.access.revision) < (other.generation, other.access.revision)
    }

    /// Whether a user logs in with the same password as before.
    package func knows(_ user: UserID, as before: StoreSnapshot) -> Bool {
        self.passwords[user]?.version == before.passwords[user]?.version
    }

    /// The same with owners alone.
    package var withoutSharing: StoreSnapshot {
        StoreSnapshot(
            access: self.access.withoutSharing,
            endpoints: self.endpoints,
            passwords: self.passwords,
            generation: self.generation
        )
    }
}

/// How an account's server is reached.
package struct Endpoint: Hashable, Sendable, Codable {
    package enum Security: String, Hashable, Sendable, Codable, CaseIterable {
        case implicit
        case starttls
        /// Without TLS; on loopback only.
        case none
    }

    package var host: String
    package var port: Int
    package var tls: Security
    /// Certificates to trust instead of the system's, as a PEM file.
    package var caFile: String?

    package init(host: String, port: Int, tls: Security, caFile: String? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
        self.caFile = caFile
    }
}

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
