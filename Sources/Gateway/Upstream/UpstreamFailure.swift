import Session
import TLS

/// Why no connection is attempted now.
enum UpstreamDenial: Equatable {
    /// The server asked for a pause.
    case paused
    /// The credential is suspended after a refusal.
    case credentialSuspended
    /// Logins are paused, because the server ended earlier ones without an answer.
    case serverUnanswering
    /// The account's server or credential has changed.
    case outdated
    /// Too many logins or connections of the account are ahead.
    case busy
}

/// Why a connection to a server failed.
enum UpstreamFailure<Login: LoginFailure>: Error {
    /// No connection was attempted.
    case denied(UpstreamDenial)
    /// There is no credential to log in with.
    case noCredential(any Error)
    /// The connection or TLS failed. ``ConnectionFailure`` explains the error.
    case connection(any Error)
    /// The server closed the connection before the login ended.
    case closed
    /// The login took too long.
    /// - isHeard: whether the connection stays open, because the server has the credential and may
    ///   still answer.
    case timedOut(isHeard: Bool)
    /// The server's octets violate the protocol.
    case violation(LoginViolation)
    /// The server, or the login's state machine, ended the login.
    case login(Login)

    /// - Parameter error: the error of a lease.
    init(lease error: any Error) {
        self =
            switch error {
            case is CredentialBreaker.Suspended: .denied(.credentialSuspended)
            case is CredentialBreaker.Paused: .denied(.serverUnanswering)
            case is CredentialBreaker.Outdated: .denied(.outdated)
            case is CredentialBreaker.WaitedTooLong: .denied(.busy)
            case is CredentialLease.TokenTooLate: .timedOut(isHeard: false)
            default: .noCredential(error)
            }
    }

    /// The log's message and error; nil if the failure is logged elsewhere or needs no log.
    var logged: (what: StaticString, error: String?)? {
        switch self {
        case .denied(.busy): ("has too many logins of this account under way", nil)
        case .denied: nil
        case .noCredential(let error): ("has no usable credential", "\(error)")
        case .connection(let error): ("cannot be used", "\(ConnectionFailure(error))")
        case .closed: ("closed the connection during the login", nil)
        case .timedOut: ("did not finish the login in time", nil)
        // Never log the response itself: a server may repeat the credential in it.
        case .violation(.tooMuch): ("sends too much during the login", nil)
        case .violation(let violation):
            ("violates the protocol during the login", violation.explanation)
        case .login(let failure): ("refused the login", "\(failure)")
        }
    }

    /// Whether TLS failed, and not the network.
    var isTLS: Bool {
        if case .connection(let error) = self { error is TLSError } else { false }
    }
}
