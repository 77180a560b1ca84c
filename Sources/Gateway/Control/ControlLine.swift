package import NIOCore

/// Collects the one line of JSON that is sent in each direction over the control socket, up to a
/// limit.
package struct ControlLine {
    /// A request has some hundred octets; a verdict also has the names of a server, a login and a
    /// CA file, which has at most 4,096 octets. Without a limit one connection could fill the
    /// memory of the gateway.
    package static let maximumRequestOctets = 16_384
    /// A session takes about 200 octets of an answer; a hundred thousand sessions take 20 MB.
    /// Without a limit, whatever listens at the socket could fill the memory of the command.
    package static let maximumAnswerOctets = 64 * 1_024 * 1_024

    private let maximumOctets: Int
    /// The octets so far.
    package private(set) var octets = ByteBuffer()

    /// - Parameter maximumOctets: the limit of the line with its end.
    package init(maximumOctets: Int) {
        self.maximumOctets = maximumOctets
    }

    /// - Returns: false if the line is too long; the connection must be closed then.
    package mutating func receive(_ octets: ByteBuffer) -> Bool {
        guard self.octets.readableBytes + octets.readableBytes <= self.maximumOctets else {
            return false
        }
        self.octets.writeImmutableBuffer(octets)
        return true
    }

    /// Whether the line is complete.
    package var isWhole: Bool { self.octets.readableBytesView.last == UInt8(ascii: "\n") }
}
