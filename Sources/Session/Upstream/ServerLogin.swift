package import struct NIOCore.ByteBuffer

/// One effect that the login at a server asks for; performed in order.
package enum LoginAction<Profile: Equatable & Sendable, Failure: LoginFailure>: Equatable,
    Sendable
{
    case send(ByteBuffer)
    /// Put TLS under the connection, then `tlsEstablished`.
    case startTLS
    /// The gateway is logged in.
    case ready(Profile)
    /// The login is over: the connection is of no use.
    case fail(Failure)
}

/// Why a login ended without a usable connection.
package protocol LoginFailure: Error, Equatable {
    /// What it says about the credential.
    var verdict: CredentialVerdict { get }
}

/// What the end of a login says about the credential.
package enum CredentialVerdict: Equatable, Sendable {
    case refused
    /// The server answered, and its answer says nothing about the credential: it is busy, or lacks the mailbox.
    case undecided
    /// The same; the server asks to be left alone.
    case throttled(milliseconds: Int)
    /// The server said nothing about the login.
    case unanswered
}

/// Cuts the answers of a protocol out of what a server sends.
package protocol AnswerReader: Sendable {
    associatedtype Answer

    init()
    /// Octets of which no answer has been made.
    var bufferedOctets: Int { get }
    mutating func receive(_ octets: ByteBuffer)
    /// - Returns: nil while more octets are needed.
    /// - Throws: ``LoginViolation/unreadable(_:isTooLong:)``.
    mutating func nextAnswer() throws(LoginViolation) -> Answer?
    /// The octets of which no answer has been made; they are taken out.
    mutating func takeBuffered() -> ByteBuffer
    /// Whether what is buffered begins as a greeting of the protocol does.
    var beginsGreeting: Bool { get }
}

/// A protocol's login: answers of the server in, actions out. ``LoginDriver`` drives it.
package protocol ServerLogin: Sendable {
    associatedtype Reader: AnswerReader
    associatedtype Profile: Equatable & Sendable
    associatedtype Failure: LoginFailure
    typealias Step = LoginAction<Profile, Failure>

    /// Whether a server may say something behind an answer before it gets the next command.
    static var allowsOctetsBehindAnswer: Bool { get }
    /// Whether the server has the whole credential, and has not answered.
    var awaitsVerdict: Bool { get }
    /// So many octets arrived.
    /// - Returns: false where the server has said more than belongs to a login.
    mutating func takesOctets(_ count: Int) -> Bool
    /// - Parameter isLast: whether nothing came behind it.
    mutating func answerReceived(_ answer: Reader.Answer, isLast: Bool) -> [Step]
    /// TLS is up after STARTTLS.
    mutating func tlsEstablished() -> [Step]
}
