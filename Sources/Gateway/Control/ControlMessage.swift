import Access
import Foundation
package import Store

/// The requests of an administrator's command to a running gateway, and the answers; each is a line
/// of JSON.
package enum ControlMessage {
    /// One request. Without any of the optional values it asks for the list of sessions.
    package struct Request: Codable, Equatable, Sendable {
        /// The session to end.
        package var end: UInt64?
        /// Reports a verdict, if it has one, and asks for the suspended credentials.
        package var credentials: CredentialRequest?
        /// Whether to report the state of the store.
        package var state: Bool?
        /// The waiting file that the administrator puts into force.
        package var accept: WaitingStore?
        /// What to do with waiting copies of sent messages.
        package var sentCopies: SentCopyRequest?
        /// The administrator, for the audit log.
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

        package init(sentCopies: SentCopyRequest, actor: String) {
            self.sentCopies = sentCopies
            self.actor = actor
        }
    }

    /// The result of a command's login at a mail server.
    package struct CredentialRequest: Codable, Equatable, Sendable {
        /// A mail server's verdict on a stored credential.
        package struct Verdict: Codable, Equatable, Sendable {
            /// The account's number in the store.
            package var account: Int64
            package var service: CredentialService
            /// The server, and the version of the credential, that the verdict is about.
            package var server: UpstreamAccount.Server
            package var isAccepted: Bool

            /// - Returns: nil if the account has no server for this protocol.
            package init?(
                of account: UpstreamAccount,
                service: CredentialService,
                isAccepted: Bool
            ) {
                guard let server = service.server(of: account) else { return nil }
                self.account = account.id.rawValue
                self.service = service
                self.server = server
                self.isAccepted = isAccepted
            }
        }

        /// Nil if the command has only a question.
        package var verdict: Verdict?

        package init(verdict: Verdict? = nil) {
            self.verdict = verdict
        }
    }

    /// One answer; it has the values that the request asked for.
    package struct Answer: Codable, Equatable, Sendable {
        /// All sessions, sorted by number.
        package var sessions: [SessionSummary]?
        /// Whether there was a session with the requested number.
        package var hasEnded: Bool?
        /// The credentials that are suspended now.
        package var credentials: [SuspendedCredential]?
        /// The state of the store.
        package var state: GatewayState?
        /// When waiting copies of sent messages are tried again, and what became of them.
        package var sentCopies: SentCopyAnswer?
        /// Why the request is refused; the other values are nil then.
        package var refusal: String?

        /// An answer without values; the caller sets the ones that the request asked for.
        package init() {}
    }
}
