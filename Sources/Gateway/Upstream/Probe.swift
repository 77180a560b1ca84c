import NIOCore
import NIOPosix
import SASL
import Session
import Store

/// Why a server could not be used.
package enum ProbeError: Error, CustomStringConvertible, Sendable {
    /// The connection failed before the login.
    case connection(ConnectionFailure)
    /// There is no credential to log in with.
    case noCredential(String)
    /// The server did not finish the login, or the commands after it, in time.
    case timedOut
    case credentialRefused
    case temporarilyRefused
    /// The server has the credential, and ended the connection without an answer.
    case loginUnanswered
    case noMailbox
    case throttled
    case noStartTLS
    case noMechanism
    case protocolViolation
    /// It speaks the protocol, and says what cannot be read or does not belong there.
    case malformed(String)
    /// It refuses to list the folders, or to open INBOX.
    case refused(ProbeCommand, words: String)
    /// It says more than the gateway takes of a server.
    case tooMuch
    case notSubmission

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
            "refused the credential: set it anew with --username and --password-stdin; for a token "
                + "see to the application's permissions and to New-ServicePrincipal"
        case .temporarilyRefused:
            "cannot check the credential now: try again later"
        case .loginUnanswered:
            "ended the connection instead of an answer to the login: look into its log; this says "
                + "nothing about the credential"
        case .noMailbox:
            "took the credential, and has no mailbox for it: give the application FullAccess of "
                + "this mailbox (Add-MailboxPermission); that may take an hour to count"
        case .throttled:
            "asks to be left alone for some minutes: try again later"
        case .noStartTLS:
            "offers no STARTTLS: use --tls implicit"
        case .noMechanism:
            "offers no way to log in with this credential (PLAIN or LOGIN; XOAUTH2 for a token)"
        case .protocolViolation:
            "does not speak IMAP on this port"
        case .malformed(let reason):
            "breaks the protocol: \(reason); the gateway takes no guess at what it means"
        case .refused(.list, let words):
            "took the credential, and does not list the folders: \(words)"
        case .refused(.inbox, let words):
            "took the credential, and does not open INBOX: \(words)"
        case .tooMuch:
            "says more than the gateway takes: 64 KiB in one response, 200 responses before the login is "
                + "over, 8 MiB to list the folders"
        case .notSubmission:
            "does not speak SMTP on this port as asked for: check port and --tls, and that it "
                + "offers AUTH PLAIN or LOGIN"
        }
    }
}

/// A command by which an account's server is tried.
package enum ProbeCommand: Equatable, Sendable {
    case list
    case inbox
}

/// A connection outside any session, with a conversation of its own that ends in a report.
enum Probe {
    /// For connecting and the login together, and again for what follows.
    private static let timeout = TimeAmount.seconds(15)

    /// - Parameter begin: begins the conversation, which keeps the promise and then closes its channel.
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

extension ProbeError {
    /// What an administrator is told of a connection that cannot be had.
    /// - Parameters:
    ///   - channel: the connection.
    ///   - login: tells of a failed login.
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
