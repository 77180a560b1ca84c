import NIOCore

/// An action that may carry octets to the client.
protocol ClientBound {
    static func toClient(_ octets: ByteBuffer) -> Self
    /// Nil for every other action.
    var octetsToClient: ByteBuffer? { get }
}

extension Array where Element: ClientBound {
    /// The most octets that are put together; longer ones are passed on without being copied.
    private static var maximumJoinedOctets: Int { 4_096 }

    /// Octets for the client, behind all that it is sent already. Short ones are joined: a client
    /// that asks thousands of things at once, and reads no answer, costs their octets and not a
    /// write, with what belongs to one, for each.
    mutating func sendToClient(_ octets: ByteBuffer) {
        guard var last = self.last?.octetsToClient,
            last.readableBytes + octets.readableBytes <= Self.maximumJoinedOctets
        else { return self.append(.toClient(octets)) }
        // Nobody else holds the octets then: they grow in place.
        self.removeLast()
        last.writeImmutableBuffer(octets)
        self.append(.toClient(last))
    }
}
