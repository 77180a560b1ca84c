package import Store

/// The protocols in which an account's credential is used.
package enum CredentialService: String, Codable, CaseIterable, Sendable {
    case imap
    case submission

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
