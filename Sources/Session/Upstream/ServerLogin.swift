package import struct NIOCore.ByteBuffer

/// One effect of the login at a server. Effects are performed in order.
package enum LoginAction<Profile: Equatable & Sendable, Failure: LoginFailure>: Equatable,
    Sendable
{
    case send(ByteBuffer)
    /// Start the TLS handshake, then call `tlsEstablished`.
    case startTLS
    /// The gateway is logged in.
    case ready(Profile)
    /// The login has failed; close the connection.
    case fail(Failure)
}

/// Why a login ended without a usable connection.
package protocol LoginFailure: Error, Equatable {
    /// The conclusion about the credential.
    var verdict: CredentialVerdict { get }
}

/// What a failed login proves about the credential.
package enum CredentialVerdict: Equatable, Sendable {
    /// The server refused the credential.
    case refused
    /// The server answered, but not about the credential: it is busy, or the mailbox does not exist.
    case undecided
    /// As ``undecided``; the server also asks for a pause before the next login.
    case throttled(milliseconds: Int)
    /// The server did not answer the login.
    case unanswered
}

/// Splits the octets of a server into answers of its protocol.
package protocol AnswerReader: Sendable {
    associatedtype Answer

    init()
    /// The number of octets that are not yet part of a returned answer.
    var bufferedOctets: Int { get }
    mutating func receive(_ octets: ByteBuffer)
    /// Reads the next whole answer.
    ///
    /// - Returns: nil if more octets are needed.
    /// - Throws: ``LoginViolation/unreadable(_:isTooLong:)``.
    mutating func nextAnswer() throws(LoginViolation) -> Answer?
    /// Removes and returns the octets that are not part of a returned answer.
    mutating func takeBuffered() -> ByteBuffer
    /// Whether the buffered octets begin like a greeting of the protocol.
    var beginsGreeting: Bool { get }
}

/// The state machine of a protocol's login: it takes answers of the server and returns actions.
/// ``LoginDriver`` drives it.
package protocol ServerLogin: Sendable {
    associatedtype Reader: AnswerReader
    associatedtype Profile: Equatable & Sendable
    associatedtype Failure: LoginFailure
    typealias Step = LoginAction<Profile, Failure>

    /// Whether a server may send octets after an answer, before it receives the next command.
    static var allowsOctetsBehindAnswer: Bool { get }
    /// Whether the server has the whole credential and has not yet accepted or refused it.
    var awaitsVerdict: Bool { get }
    /// Counts octets that arrived.
    ///
    /// - Returns: false if the server has sent more than a login may have.
    mutating func takesOctets(_ count: Int) -> Bool
    /// Takes one whole answer.
    ///
    /// - Parameter isLast: whether no octets follow the answer.
    mutating func answerReceived(_ answer: Reader.Answer, isLast: Bool) -> [Step]
    /// The TLS handshake after STARTTLS is complete.
    mutating func tlsEstablished() -> [Step]
}
