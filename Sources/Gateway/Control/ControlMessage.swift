import Access
import Foundation
package import Store

/// What an administrator asks a running gateway, and what it answers; a line of JSON each.
package enum ControlMessage {
    package struct Request: Codable, Equatable, Sendable {
        /// The session to end; nil asks for the list.
        package var end: UInt64?
        /// Asks for the credentials that rest; after what it tells is taken note of.
        package var credentials: CredentialRequest?
        /// Whether to ask what the gateway has in force, and not for sessions.
        package var state: Bool?
        /// The file that waits, and that an administrator puts into force.
        package var accept: WaitingStore?
        /// Who asks, for the audit log.
        package var actor: String

        package init(
            end: UInt64? = nil,
            state: Bool? = nil,
            accept: WaitingStore? = nil,
            actor: String
        ) {
            self.end = end
            self.state = state
            self.accept = accept
            self.actor = actor
        }

        package init(credentials: CredentialRequest, actor: String) {
            self.credentials = credentials
            self.actor = actor
        }
    }

    /// What a login of the command line at a mail server found.
    package struct CredentialRequest: Codable, Equatable, Sendable {
        /// One verdict of a mail server.
        package struct Verdict: Codable, Equatable, Sendable {
            /// The account's number in the store.
            package var account: Int64
            package var service: CredentialService
            /// The server, and the version of the credential, that it is about.
            package var server: UpstreamAccount.Server
            package var isAccepted: Bool

            /// - Returns: nil where the account has no such server.
            package init?(
                of account: UpstreamAccount,
                _ service: CredentialService,
                isAccepted: Bool
            ) {
                guard let server = service.server(of: account) else { return nil }
                self.account = account.id.rawValue
                self.service = service
                self.server = server
                self.isAccepted = isAccepted
            }
        }

        /// Nil where there is nothing to tell.
        package var verdict: Verdict?

        package init(verdict: Verdict? = nil) {
            self.verdict = verdict
        }
    }

    package struct Answer: Codable, Equatable, Sendable {
        package var sessions: [SessionSummary]?
        package var hasEnded: Bool?
        package var credentials: [SuspendedCredential]?
        package var state: GatewayState?
        package var refusal: String?

        package init() {}
    }
}
