package import struct NIOCore.ByteBuffer

/// The tags of one upstream connection: a random word and a counter. The random word prevents a server from
/// answering a command before it has received it.
package struct UpstreamTags: Equatable, Sendable {
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789".utf8)

    private let word: [UInt8]
    private var count: UInt32 = 0

    /// - Parameter random: a random number, of which the lowest 40 bits are used.
    package init(random: UInt64) {
        self.word = (0..<8).map { Self.alphabet[Int((random >> (UInt64($0) * 5)) & 31)] }
    }

    /// Returns a new tag, such as `K7QDM2XA1`. The counter wraps around after 2^32 commands.
    package mutating func next() -> ByteBuffer {
        self.count &+= 1
        var tag = ByteBuffer()
        tag.reserveCapacity(minimumWritableBytes: 64)
        tag.writeBytes(self.word)
        tag.writeString(String(self.count))
        return tag
    }
}
