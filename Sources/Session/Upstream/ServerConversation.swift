package import IMAP

package import struct NIOCore.ByteBuffer

/// What to do next in a conversation with a server.
package enum ConversationStep<Outcome: Sendable & Equatable>: Equatable, Sendable {
    case wait
    case send([ByteBuffer])
    /// The message's octets, then `messageSent`.
    case sendMessage
    case done(Outcome)
}

/// A conversation with an account's mail server that no client leads: it begins when the gateway is
/// logged in; one whole response comes in, what to do goes out.
package protocol ServerConversation: Sendable {
    associatedtype Outcome: Sendable & Equatable
    typealias Step = ConversationStep<Outcome>

    /// Whether it asks for STATUS responses.
    static var readsStatus: Bool { get }
    /// - Parameter tags: what is left of the connection's tags after the login.
    mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step
    /// A piece of a response, before the response is collected.
    /// - Returns: whether it was taken, and the response is not to be collected: it holds a message.
    mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool
    mutating func responseReceived(_ response: ByteBuffer) -> Step
    /// The octets of the message that was asked for are out.
    mutating func messageSent() -> Step
}

extension ServerConversation {
    package static var readsStatus: Bool { false }
    package mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool { false }
    package mutating func messageSent() -> Step { .wait }
}

/// Gives the commands of a conversation their tags, and their segments one by one; literals wait for
/// the server, whatever it offers.
struct CommandSender {
    /// Of the command in flight.
    private(set) var tag = ByteBuffer()
    private var tags: UpstreamTags
    private var segments: [ByteBuffer] = []

    init(_ tags: UpstreamTags = UpstreamTags(random: 0)) {
        self.tags = tags
    }

    /// - Parameter announces: whether a message follows the last segment.
    /// - Returns: the first segment.
    mutating func send(
        announces: Bool = false,
        _ write: (inout CommandEncoder) -> Void
    ) -> ByteBuffer? {
        self.tag = self.tags.next()
        var encoder = CommandEncoder(tag: self.tag, literals: .synchronizing)
        write(&encoder)
        self.segments = announces ? encoder.finishWithoutLineEnd() : encoder.finish()
        return self.next()
    }

    /// The next segment, for which the server asked; nil behind the last.
    mutating func next() -> ByteBuffer? {
        self.segments.isEmpty ? nil : self.segments.removeFirst()
    }
}
