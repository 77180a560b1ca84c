package import struct NIOCore.ByteBuffer

/// A collector for whole responses: one limit and one policy for all code that parses responses
/// instead of passing them on.
///
/// FLAGS and SEARCH grow with the contents of a mailbox, and any user who may add messages can make
/// them grow: one that is too long is omitted. Any other response that is too long makes the server
/// unusable.
package struct ResponseCollector: Sendable {
    /// The longest response, in octets. A LIST with a long name and extended data takes 8 KiB;
    /// capabilities and namespaces take 1 KiB. Without a limit one line would fill the memory.
    package static let maximumOctets = 64 * 1_024

    private var collected = ByteBuffer()
    private var isLeftOut = false

    package init() {}

    /// Adds a piece of a response.
    /// - Returns: the response with CR LF after its last piece; nil before, and for one that is
    ///   omitted.
    /// - Throws: `lineTooLong` for a response over the limit that may not be omitted.
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

/// A reader that splits a server's octets into whole responses, for conversations that pass nothing
/// on.
package struct WholeResponseReader: Sendable {
    private var reader = ResponseReader()
    private var collector = ResponseCollector()

    package init() {}

    /// The number of octets after the last response.
    package var bufferedOctets: Int { self.reader.bufferedOctets }

    /// Appends octets from the server.
    package mutating func receive(_ octets: ByteBuffer) {
        self.reader.receive(octets)
    }

    /// Reads the next response.
    /// - Parameter take: whether to consume a piece instead of collecting it, for example a
    ///   message.
    /// - Returns: nil while more octets are needed.
    /// - Throws: `SyntaxError` for invalid or overlong responses; the connection is unusable then.
    package mutating func next(
        taking take: (ResponseReader.Piece) -> Bool = { _ in false }
    ) throws(SyntaxError) -> ByteBuffer? {
        while let piece = try self.reader.next() {
            if take(piece) { continue }
            if let response = try self.collector.add(piece) { return response }
        }
        return nil
    }

    /// The octets that are not yet part of a response.
    package var unread: ByteBuffer { self.reader.unread }

    /// Removes and returns the octets after the last response.
    package mutating func takeBuffered() -> ByteBuffer {
        self.reader.takeBuffered()
    }
}
