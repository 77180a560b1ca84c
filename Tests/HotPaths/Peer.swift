import NIOCore
import NIOEmbedded

/// The other end of one of the gateway's connections: a client or a mail server.
struct Peer {
    /// The largest read from a socket of the gateway, in octets.
    static let maximumReadOctets = 128 * 1_024

    /// The pause after which a session goes on that has yielded the event loop.
    private static let pause = TimeAmount.microseconds(200)

    /// The gateway's end.
    let channel: EmbeddedChannel

    /// Delivers octets as one read from a socket does, and runs the event loop until it is idle, or
    /// waits for more than that pause.
    func deliver(_ octets: ByteBuffer) throws {
        try self.channel.writeInbound(octets)
        self.channel.read()
        self.channel.embeddedEventLoop.advanceTime(by: Self.pause)
    }

    /// Delivers a line; for the dialogs before a path.
    func deliver(_ line: String) throws {
        try self.deliver(ByteBuffer(string: line))
    }

    /// The octets that the gateway has written since the last call.
    func received() throws -> ByteBuffer {
        var octets = ByteBuffer()
        while let more = try self.channel.readOutbound(as: ByteBuffer.self) {
            if octets.readableBytes == 0 {
                octets = more
            } else {
                octets.writeImmutableBuffer(more)
            }
        }
        return octets
    }

    /// The octets that the gateway has written since the last call, which must begin as expected.
    /// - Throws: ``UnexpectedAnswer``.
    @discardableResult
    func expect(_ beginning: String) throws -> ByteBuffer {
        let octets = try self.received()
        guard octets.readableBytesView.starts(with: beginning.utf8) else {
            throw UnexpectedAnswer(String(buffer: octets), expected: beginning)
        }
        return octets
    }
}

/// Splits octets into reads of a socket, each with a buffer of its own.
func reads(of octets: [UInt8]) -> [ByteBuffer] {
    stride(from: 0, to: octets.count, by: Peer.maximumReadOctets).map { start in
        ByteBuffer(bytes: octets[start..<min(start + Peer.maximumReadOctets, octets.count)])
    }
}
