package import IMAP

package import struct NIOCore.ByteBuffer

/// The next step of a ``ServerConversation``.
package enum ConversationStep<Outcome: Sendable & Equatable>: Equatable, Sendable {
    /// Wait for the next response.
    case wait
    /// Send these buffers in order.
    case send([ByteBuffer])
    /// Send the octets of the message, then call `messageSent`.
    case sendMessage
    /// The conversation has ended.
    case done(Outcome)
}

/// A conversation of the gateway itself with an account's mail server, without a client.
///
/// A pure state machine: it begins after the login, takes one whole response at a time and returns the next step.
package protocol ServerConversation: Sendable {
    associatedtype Outcome: Sendable & Equatable
    typealias Step = ConversationStep<Outcome>

    /// Whether the conversation asks for STATUS responses. If not, they count as unsolicited
    /// (``ConversationLimiter``).
    static var readsStatus: Bool { get }
    /// Begins the conversation.
    ///
    /// - Parameter tags: the connection's remaining tags after the login.
    mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step
    /// Takes a piece of a response before the response is collected.
    ///
    /// - Returns: true if the piece belongs to a response with a message, which is then not collected.
    mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool
    /// Takes one whole response with its literals.
    mutating func responseReceived(_ response: ByteBuffer) -> Step
    /// The octets of the message were sent (``ConversationStep/sendMessage``).
    mutating func messageSent() -> Step
}

extension ServerConversation {
    package static var readsStatus: Bool { false }
    package mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool { false }
    package mutating func messageSent() -> Step { .wait }
}
