import NIOCore
import NIOPosix
import SASL
import Session
import Store

/// Why a probe of a server failed. The description completes a sentence that begins with the
/// server's host and port, and ends with a remedy.
package enum ProbeError: Error, CustomStringConvertible, Sendable {
    /// The connection failed before the login.
    case connection(ConnectionFailure)
    /// There is no credential to log in with.
    case noCredential(String)
    /// The server did not finish the login, or the commands after it, in time.
    case timedOut
    /// The server refused the login.
    case credentialRefused
    /// The server could not check the login.
    case temporarilyRefused
    /// The server received the credential and closed the connection without an answer.
    case loginUnanswered
    /// The credential is valid, but opens no mailbox.
    case noMailbox
    /// The server asked for a pause (Exchange Online).
    case throttled
    /// STARTTLS was requested, and the server does not offer it.
    case noStartTLS
    /// The server offers no mechanism for this kind of credential.
    case noMechanism
    /// The greeting is not IMAP.
    case protocolViolation
    /// The server speaks IMAP, and sent a response that cannot be parsed or is not allowed at this
    /// point.
    case malformed(String)
    /// The server refused to list the folders or to open INBOX.
    /// - words: the server's text, printable and shortened.
    case refused(ProbeCommand, words: String)
    /// The server exceeded a limit of responses or octets.
    case tooMuch
    /// The server does not speak SMTP as requested.
    case notSubmission

    /// Completes a sentence that begins with `HOST:PORT`, and ends with a remedy.
    package var description: String {
        switch self {
        case .connection(let failure) where failure.isTLS:
            "TLS failed: \(failure)"
        case .connection(let failure):
            "cannot be reached: \(failure)"
        case .noCredential(let reason):
            "has no usable credential: \(reason)"
        case .timedOut:
            "does not answer in time: check host, port and firewall"
        case .credentialRefused:
            "refused the credential: set it again with --username and --password-stdin; for a token "
                + "check the application's permissions and New-ServicePrincipal"
        case .temporarilyRefused:
            "cannot check the credential now: try again later"
        case .loginUnanswered:
            "closed the connection before it answered the login: look into its log; this does "
                + "not mean that the credential is wrong"
        case .noMailbox:
            "accepted the credential, but opened no mailbox: give the application FullAccess to "
                + "this mailbox (Add-MailboxPermission), which may take an hour to take effect"
        case .throttled:
            "throttles logins: try again in some minutes"
        case .noStartTLS:
            "offers no STARTTLS: use --tls implicit"
        case .noMechanism:
            "offers no login mechanism for this credential (PLAIN or LOGIN; XOAUTH2 for a token)"
        case .protocolViolation:
            "does not speak IMAP on this port"
        case .malformed(let reason):
            "violates the protocol: \(reason)"
        case .refused(.list, let words):
            "accepted the credential, but refused to list the folders: \(words)"
        case .refused(.inbox, let words):
            "accepted the credential, but refused to open INBOX: \(words)"
        case .tooMuch:
            "sends more than the gateway accepts: 64 KiB in one response, 200 responses before the login "
                + "ends, or 8 MiB for the list of folders"
        case .notSubmission:
            "does not speak SMTP on this port: check port and --tls, and that it offers AUTH PLAIN "
                + "or LOGIN"
        }
    }
}

/// A command that a probe sends after the login.
package enum ProbeCommand: Equatable, Sendable {
    /// LIST of all folders (RFC 9051 §6.3.9).
    case list
    /// EXAMINE of INBOX (RFC 9051 §6.3.3).
    case inbox
}

/// Runs a connection outside any session, with a conversation that ends in a report.
enum Probe {
    /// The time for connecting and the login together, and again for the commands after them.
    private static let timeout = TimeAmount.seconds(15)

    /// Runs a conversation on an event loop of the process.
    /// - Parameters:
    ///   - begin: starts the conversation on its event loop. The conversation completes the
    ///     promise, and closes its channel when the promise is complete.
    /// - Throws: ``ProbeError/timedOut`` if the promise is not complete in twice ``timeout``.
    static func run<Report: Sendable>(
        _ endpoint: Endpoint,
        credential: UpstreamCredential,
        begin: @escaping @Sendable (UpstreamRoute, EventLoopPromise<Report>) -> Void
    ) async throws(ProbeError) -> Report {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Report.self)
        loop.execute { begin(self.route(to: endpoint, credential: credential), promise) }
        let timeout = loop.scheduleTask(in: self.timeout * 2) { promise.fail(ProbeError.timedOut) }
        defer { timeout.cancel() }
        do {
            return try await promise.futureResult.get()
        } catch let error as ProbeError {
            throw error
        } catch {
            throw .connection(ConnectionFailure(error))
        }
    }

    /// The route of a probe: without circuit breaker, connection slots and log.
    private static func route(
        to endpoint: Endpoint,
        credential: UpstreamCredential
    ) -> UpstreamRoute {
        var limits = GatewayConfiguration.Limits()
        limits.upstreamTimeout = self.timeout
        return UpstreamRoute(
            endpoint: endpoint,
            connector: SocketConnector(),
            clientTLS: ClientContexts(),
            limits: limits,
            lease: { loop in
                loop.makeSucceededFuture(CredentialLease(credential, began: loop.now))
            }
        )
    }
}

/// Conversion of the channel's failures.
extension ProbeError {
    /// The error that an administrator sees for a failed connection.
    /// - Parameters:
    ///   - channel: the connection.
    ///   - login: converts the failure of a login.
    init<Login: ServerLogin>(
        _ failure: UpstreamFailure<Login.Failure>,
        of channel: UpstreamChannel<Login>?,
        login: (Login.Failure) -> ProbeError
    ) {
        let isUnanswered = channel?.driver?.awaitsVerdict ?? false
        self =
            switch failure {
            case .connection where isUnanswered, .closed where isUnanswered: .loginUnanswered
            case .connection(let error): .connection(ConnectionFailure(error))
            case .noCredential(let error): .noCredential("\(error)")
            case .closed, .denied: .connection(.closed)
            case .timedOut: .timedOut
            case .violation(let violation) where violation.isTooMuch: .tooMuch
            case .violation(let violation):
                channel?.driver?.hasGreeted ?? false
                    ? .malformed(violation.explanation) : .protocolViolation
            case .login(let failure): login(failure)
            }
    }
}
