/// A violation of the protocol by a server during login. The login ends.
package enum LoginViolation: Error, Equatable, Sendable {
    /// The server sent more octets than a login may have.
    case tooMuch
    /// The server sent octets after an answer, before it received the next command.
    case octetsBehindAnswer
    /// The server sent octets after its positive answer to STARTTLS, before the TLS handshake.
    case octetsBeforeTLS
    /// An answer does not parse. The text gives the reason.
    case unreadable(String, isTooLong: Bool)

    /// Whether the server exceeded a limit.
    package var isTooMuch: Bool {
        switch self {
        case .tooMuch, .unreadable(_, isTooLong: true): true
        case .unreadable, .octetsBehindAnswer, .octetsBeforeTLS: false
        }
    }

    /// The violation as a phrase for the log.
    package var explanation: String {
        switch self {
        case .tooMuch: "more octets or answers than belong to a login"
        case .octetsBehindAnswer: "octets behind an answer, before the next command"
        case .octetsBeforeTLS: "octets behind STARTTLS, before TLS"
        case .unreadable(let reason, _): reason
        }
    }
}
