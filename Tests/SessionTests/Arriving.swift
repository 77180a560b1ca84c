import NIOCore

/// Octets that a client has sent and its session has not read. The harness hands them over as the
/// gateway does: only while the session accepts octets.
struct Arriving {
    /// The most octets that one read of a socket returns.
    private static let maximumReadOctets = 64 * 1_024

    private var pieces: [ArraySlice<UInt8>] = []
    private var read = 0
    private var isReading = false

    var isEmpty: Bool { self.read == self.pieces.count }

    /// - Parameter chunk: octets that arrive together.
    mutating func append(_ octets: [UInt8], chunk: Int) {
        var rest = octets[...]
        while !rest.isEmpty {
            let piece = rest.prefix(min(chunk, Self.maximumReadOctets))
            rest = rest.dropFirst(piece.count)
            self.pieces.append(piece)
        }
    }

    /// - Returns: false in a nested call; the outer loop continues.
    mutating func begin() -> Bool {
        guard !self.isReading else { return false }
        self.isReading = true
        return true
    }

    mutating func end() {
        self.isReading = false
    }

    mutating func next() -> ByteBuffer? {
        guard self.read < self.pieces.count else { return nil }
        self.read += 1
        return ByteBuffer(bytes: self.pieces[self.read - 1])
    }
}
