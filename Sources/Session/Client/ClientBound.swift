package import struct NIOCore.ByteBuffer

/// An action that may carry octets to the client, of an IMAP or a submission session.
package protocol ClientBound {
    /// The action that writes `octets` to the client.
    static func toClient(_ octets: ByteBuffer) -> Self
    /// The octets of such an action; nil for every other action.
    var octetsToClient: ByteBuffer? { get }
}

extension Array where Element: ClientBound {
    /// The size in octets up to which writes are joined. Larger buffers are passed on without a
    /// copy.
    private static var maximumJoinedOctets: Int { 4_096 }
    /// The number of actions whose storage is reused. One command has two or three actions, a
    /// listing thousands.
    private static var keptActions: Int { 8 }

    /// Appends octets for the client, and joins short ones with the last action. Without this, a
    /// client that pipelines thousands of commands and reads no answer would cost the memory of one
    /// write for each answer.
    mutating func sendToClient(_ octets: ByteBuffer) {
        guard var last = self.last?.octetsToClient,
            last.readableBytes + octets.readableBytes <= Self.maximumJoinedOctets
        else { return self.append(.toClient(octets)) }
        // The removal leaves one reference to the buffer, so it grows in place.
        self.removeLast()
        last.writeImmutableBuffer(octets)
        self.append(.toClient(last))
    }

    /// Moves the actions since the last call, in order, into `taken`. The storage of `taken` is
    /// reused for the next actions.
    mutating func take(into taken: inout Self) {
        taken.removeAll(keepingCapacity: taken.count <= Self.keptActions)
        swap(&taken, &self)
    }
}
