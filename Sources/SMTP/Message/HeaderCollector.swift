package import struct NIOCore.ByteBuffer

/// A collector that holds a message back until its header is complete, so that the header is
/// checked before any octet is sent.
package struct HeaderCollector {
    private var block = ByteBuffer()
    /// The octets that were searched for the end of the header.
    private var searched = 0

    package init() {}

    /// Adds octets.
    /// - Parameter octets: the next octets of the message, without dot-stuffing.
    /// - Returns: the header without the empty line, and the octets from that line on; nil while
    ///   the header is incomplete.
    /// - Throws: `tooLarge`.
    package mutating func receive(
        _ octets: ByteBuffer
    ) throws(Header.Fault) -> (header: ByteBuffer, rest: ByteBuffer)? {
        // Most headers arrive with the first octets, which need no copy then.
        if self.block.readableBytes == 0 {
            self.block = octets
        } else {
            self.block.writeImmutableBuffer(octets)
        }
        guard let end = self.findEnd() else {
            guard self.block.readableBytes <= Header.maximumOctets else { throw .tooLarge }
            return nil
        }
        guard end <= Header.maximumOctets else { throw .tooLarge }
        let header = self.block.readSlice(length: end) ?? ByteBuffer()
        defer { self.block = ByteBuffer() }
        return (header, self.block)
    }

    /// Ends a message without an empty line: it is only a header.
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
