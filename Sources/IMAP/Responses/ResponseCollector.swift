package import struct NIOCore.ByteBuffer

/// Collects whole responses from their pieces: one limit and one policy, wherever a response is read
/// instead of passed on.
///
/// FLAGS and SEARCH grow with what a mailbox holds, and anybody who may file messages there can make them
/// grow: one that is too long is left out, as if it had not come. Any other response that is too long is of
/// a server that the gateway cannot work with.
package struct ResponseCollector: Sendable {
    /// A LIST line with a long name and its extended data needs 8 KiB, capabilities and namespaces of real
    /// servers 1 KiB. Without a bound one line of a server fills the memory.
    package static let maximumOctets = 64 * 1_024

    private var collected = ByteBuffer()
    private var isLeftOut = false

    package init() {}

    /// - Returns: the response, with CR LF, once the last of its pieces is there; nil for one that is left
    ///   out, too.
    /// - Throws: `lineTooLong` for one over the limit that is not left out.
    package mutating func add(_ piece: ResponseReader.Piece) throws(SyntaxError) -> ByteBuffer? {
        if !self.isLeftOut {
            self.collected.writeImmutableBuffer(piece.octets)
            if self.collected.readableBytes > Self.maximumOctets { try self.leaveOut() }
        }
        guard piece.isLast else { return nil }
        defer { self = ResponseCollector() }
        return self.isLeftOut ? nil : self.collected
    }

    private mutating func leaveOut() throws(SyntaxError) {
        switch try ResponseHead(self.collected) {
        case .data(.flags), .data(.search):
            self.collected = ByteBuffer()
            self.isLeftOut = true
        default:
            throw SyntaxError(.lineTooLong, at: Self.maximumOctets)
        }
    }
}

/// Cuts a server's octets into whole responses, for conversations that pass nothing on.
package struct WholeResponseReader: Sendable {
    private var reader = ResponseReader()
    private var collector = ResponseCollector()

    package init() {}

    /// Octets behind the last response.
    package var bufferedOctets: Int { self.reader.bufferedOctets }

    package mutating func receive(_ octets: ByteBuffer) {
        self.reader.receive(octets)
    }

    /// - Parameter take: whether a piece is taken before it is collected: it holds a message.
    /// - Returns: nil while more octets are needed.
    /// - Throws: what is no response, or is too long; the connection is of no use any more.
    package mutating func next(
        taking take: (ResponseReader.Piece) -> Bool = { _ in false }
    ) throws(SyntaxError) -> ByteBuffer? {
        while let piece = try self.reader.next() {
            if take(piece) { continue }
            if let response = try self.collector.add(piece) { return response }
        }
        return nil
    }

    /// The octets of which no response has been made.
    package var unread: ByteBuffer { self.reader.unread }

    /// What is behind the last response.
    package mutating func takeBuffered() -> ByteBuffer {
        self.reader.takeBuffered()
    }
}
