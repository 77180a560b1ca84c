package import struct NIOCore.ByteBuffer

/// Holds a message's header block back until it is whole, so that it is judged before an octet of
/// the message goes anywhere.
package struct HeaderCollector {
    private var block = ByteBuffer()
    /// Octets of the block that were looked at for its end.
    private var searched = 0

    package init() {}

    /// - Parameter octets: the next of the message, unstuffed.
    /// - Returns: the header block without the empty line, and the octets from that line on; nil
    ///   while the block is not whole.
    /// - Throws: when the block is too large.
    package mutating func receive(
        _ octets: ByteBuffer
    ) throws(Header.Fault) -> (header: ByteBuffer, rest: ByteBuffer)? {
        self.block.writeImmutableBuffer(octets)
        guard let end = self.findEnd() else {
            guard self.block.readableBytes <= Header.maximumOctets else { throw .tooLarge }
            return nil
        }
        guard end <= Header.maximumOctets else { throw .tooLarge }
        let header = self.block.readSlice(length: end) ?? ByteBuffer()
        defer { self.block = ByteBuffer() }
        return (header, self.block)
    }

    /// The message ended before an empty line: it is all header.
    package mutating func end() -> ByteBuffer {
        defer { self.block = ByteBuffer() }
        return self.block
    }

    /// The offset of the empty line that ends the block.
    private mutating func findEnd() -> Int? {
        self.block.withUnsafeReadableBytes { octets in
            if octets.starts(with: [.carriageReturn, .lineFeed]) { return 0 }
            var index = max(self.searched, 3)
            while index < octets.count {
                if octets[index] == .lineFeed, octets[index - 1] == .carriageReturn,
                    octets[index - 2] == .lineFeed
                {
                    return index - 1
                }
                index += 1
            }
            self.searched = octets.count
            return nil
        }
    }
}
