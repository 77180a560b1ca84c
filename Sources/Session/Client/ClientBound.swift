package import struct NIOCore.ByteBuffer

/// An action that may carry octets to the client.
package protocol ClientBound {
    static func toClient(_ octets: ByteBuffer) -> Self
    /// Nil for every other action.
    var octetsToClient: ByteBuffer? { get }
}

extension Array where Element: ClientBound {
    /// The most octets that are put together; longer ones are passed on without being copied.
    private static var maximumJoinedOctets: Int { 4_096 }
    /// Actions whose storage is kept: a command and its answer have two or three, a listing thousands.
    private static var keptActions: Int { 8 }

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

    /// Puts the actions since the last call, in order, into `taken`, whose storage serves the next.
    mutating func take(into taken: inout Self) {
        taken.removeAll(keepingCapacity: taken.count <= Self.keptActions)
        swap(&taken, &self)
    }
}
