package import struct NIOCore.ByteBuffer

/// The tags of one upstream connection: a random word and a counter, so that a server cannot
/// answer a command before it has seen it.
package struct UpstreamTags: Equatable, Sendable {
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789".utf8)

    private let word: [UInt8]
    private var count: UInt32 = 0

    /// - Parameter random: 40 bits or more of randomness.
    package init(random: UInt64) {
        self.word = (0..<8).map { Self.alphabet[Int((random >> (UInt64($0) * 5)) & 31)] }
    }

    /// The next command's tag.
    package mutating func next() -> ByteBuffer {
        self.count &+= 1
        var tag = ByteBuffer()
        tag.reserveCapacity(minimumWritableBytes: 64)
        tag.writeBytes(self.word)
        tag.writeString(String(self.count))
        return tag
    }
}
