package import Store

/// The servers at which an account's credential is used.
package enum CredentialService: String, Codable, CaseIterable, Sendable {
    case imap
    case submission

    var other: CredentialService { self == .imap ? .submission : .imap }

    /// Where and as whom an account logs in there; nil without a server for sending.
    package func server(of account: UpstreamAccount) -> UpstreamAccount.Server? {
        switch self {
        case .imap: account.server
        case .submission: account.sendingServer
        }
    }
}
