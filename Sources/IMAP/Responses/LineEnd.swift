import struct NIOCore.ByteBuffer

/// What a scan for the end of a line came upon.
enum LineEnd {
    case crlf
    case none
    /// A CR or LF alone, or a NUL (RFC 9051 §4).
    case malformed
}

extension ByteBuffer {
    /// The first octet from `start` on that ends the line or may not be in one.
    ///
    /// - Returns: its place in the readable octets; without an end, where to go on.
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
