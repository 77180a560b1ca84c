/// Why a server cannot be logged in at, whatever its answers mean: it breaks its protocol.
package enum LoginViolation: Error, Equatable, Sendable {
    /// It says more than belongs to a login.
    case tooMuch
    /// It speaks again before it has the next command.
    case octetsBehindAnswer
    /// It speaks between its consent to STARTTLS and TLS.
    case octetsBeforeTLS
    /// What it says cannot be read.
    case unreadable(String, isTooLong: Bool)

    /// Whether a limit was crossed.
    package var isTooMuch: Bool {
        switch self {
        case .tooMuch, .unreadable(_, isTooLong: true): true
        case .unreadable, .octetsBehindAnswer, .octetsBeforeTLS: false
        }
    }

    package var explanation: String {
        switch self {
        case .tooMuch: "more octets or answers than belong to a login"
        case .octetsBehindAnswer: "octets behind an answer, before the next command"
        case .octetsBeforeTLS: "octets behind STARTTLS, before TLS"
        case .unreadable(let reason, _): reason
        }
    }
}
