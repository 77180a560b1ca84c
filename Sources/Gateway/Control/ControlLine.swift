package import NIOCore

/// Collects the one line that goes each way over the socket for commands, within a limit.
package struct ControlLine {
    /// A request has some hundred octets, and a verdict the names of a server, of a login and of a CA file, which has
    /// 4,096 octets at most. Without a bound one connection fills the memory of the gateway.
    package static let maximumRequestOctets = 16_384
    /// A session takes some 200 octets of an answer, and a hundred thousand of them 20 MB. Without a bound whatever
    /// listens at the socket fills the memory of the command.
    package static let maximumAnswerOctets = 64 * 1_024 * 1_024

    private let maximumOctets: Int
    package private(set) var octets = ByteBuffer()

    package init(maximumOctets: Int) {
        self.maximumOctets = maximumOctets
    }

    /// - Returns: false where the line is too long; it is of no use then.
    package mutating func receive(_ octets: ByteBuffer) -> Bool {
        guard self.octets.readableBytes + octets.readableBytes <= self.maximumOctets else {
            return false
        }
        self.octets.writeImmutableBuffer(octets)
        return true
    }

    /// Whether the end of the line is there.
    package var isWhole: Bool { self.octets.readableBytesView.last == UInt8(ascii: "\n") }
}
