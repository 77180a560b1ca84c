import IMAP

import struct NIOCore.ByteBuffer

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
