package import Store

/// The protocols in which an account's credential is used.
package enum CredentialService: String, Codable, CaseIterable, Sendable {
    /// The mail server of the account.
    case imap
    /// The submission server of the account.
    case submission

    /// The other protocol with the same credential.
    var other: CredentialService { self == .imap ? .submission : .imap }

    /// The server and login name of the account for this protocol; nil for an account without a
    /// submission server.
    package func server(of account: UpstreamAccount) -> UpstreamAccount.Server? {
        switch self {
        case .imap: account.server
        case .submission: account.sendingServer
        }
    }
}
