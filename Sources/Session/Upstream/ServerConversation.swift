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

/// Encodes the commands of a conversation: it adds tags and returns the segments one at a time. All literals are
/// synchronizing, even if the server offers LITERAL+ (RFC 7888).
struct CommandSender {
    /// The tag of the command in flight.
    private(set) var tag = ByteBuffer()
    private var tags: UpstreamTags
    private var segments: [ByteBuffer] = []

    init(_ tags: UpstreamTags = UpstreamTags(random: 0)) {
        self.tags = tags
    }

    /// Encodes a command under a new tag.
    ///
    /// - Parameter announces: whether a message follows the last segment, so that the segment has no line end.
    /// - Returns: the first segment; nil if the encoder made none.
    mutating func send(
        announces: Bool = false,
        write: (inout CommandEncoder) -> Void
    ) -> ByteBuffer? {
        self.tag = self.tags.next()
        var encoder = CommandEncoder(tag: self.tag, literals: .synchronizing)
        write(&encoder)
        self.segments = announces ? encoder.finishWithoutLineEnd() : encoder.finish()
        return self.next()
    }

    /// The next segment, after a continuation request; nil if there is none.
    mutating func next() -> ByteBuffer? {
        self.segments.isEmpty ? nil : self.segments.removeFirst()
    }
}
