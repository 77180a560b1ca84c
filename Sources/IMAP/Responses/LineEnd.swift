import struct NIOCore.ByteBuffer

/// The result of a search for the end of a line.
enum LineEnd {
    case crlf
    /// No line end yet.
    case none
    /// A single CR or LF, or a NUL (RFC 9051 §4).
    case malformed
}

extension ByteBuffer {
    /// Finds the first octet from `start` on that ends the line or must not occur in it.
    ///
    /// - Returns: its offset; without an end, the offset at which to continue.
    func lineEnd(from start: Int) -> (place: Int, LineEnd) {
        self.withUnsafeReadableBytes { octets in
            var place = start
            while place < octets.count {
                switch octets[place] {
                case 0x0D:
                    guard place + 1 < octets.count else { return (place, .none) }
                    return (place, octets[place + 1] == 0x0A ? .crlf : .malformed)
                case 0x0A, 0x00:
                    return (place, .malformed)
                default:
                    place += 1
                }
            }
            return (place, .none)
        }
    }
}
