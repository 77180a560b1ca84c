import Session
import TLS

/// Why nobody is connected to a server now.
enum UpstreamDenial: Equatable {
    /// The server asked to be left alone.
    case paused
    /// The credential rests after a refusal.
    case credentialSuspended
    /// The server is left alone because it ended logins without an answer.
    case serverUnanswering
    /// The account has another server or credential by now.
    case outdated
    /// Too many others wait, or are connected.
    case busy
}

/// Why a connection to a server cannot be had.
enum UpstreamFailure<Login: LoginFailure>: Error {
    case denied(UpstreamDenial)
    /// There is nothing to log in with.
    case noCredential(any Error)
    /// The network, or TLS, failed.
    case connection(any Error)
    /// The server closed the connection.
    case closed
    /// The login took too long. The connection is closed, or the server still owes its verdict, and is heard.
    case timedOut(isHeard: Bool)
    case violation(LoginViolation)
    case login(Login)

    /// - Parameter lease: why there is no credential for a login.
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

    /// What the log says; nil where it says nothing: the log has told the reason, or tells it elsewhere.
    var trouble: (what: StaticString, error: String?)? {
        switch self {
        case .denied(.busy): ("has too many logins of this account under way", nil)
        case .denied: nil
        case .noCredential(let error): ("has no usable credential", "\(error)")
        case .connection(let error): ("cannot be used", "\(ConnectionFailure(error))")
        case .closed: ("closed the connection during the login", nil)
        case .timedOut: ("did not finish the login in time", nil)
        // Not the line: a server may repeat what it was given to log in with.
        case .violation(.tooMuch): ("says too much during the login", nil)
        case .violation(let violation):
            ("breaks the protocol during the login", violation.explanation)
        case .login(let failure): ("refused the login", "\(failure)")
        }
    }

    var isTLS: Bool {
        if case .connection(let error) = self { error is TLSError } else { false }
    }
}
