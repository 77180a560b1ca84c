import NIOCore

/// What a client has sent and its session has not read. The bench reads it as the gateway does: only
/// while the session wants it.
struct Arriving {
    /// A socket gives no more at once.
    private static let maximumReadOctets = 64 * 1_024

    private var pieces: [ArraySlice<UInt8>] = []
    private var read = 0
    private var isReading = false

    var isEmpty: Bool { self.read == self.pieces.count }

    /// - Parameter chunk: octets that come at a time.
    mutating func append(_ octets: [UInt8], chunk: Int) {
        var rest = octets[...]
        while !rest.isEmpty {
            let piece = rest.prefix(min(chunk, Self.maximumReadOctets))
            rest = rest.dropFirst(piece.count)
            self.pieces.append(piece)
        }
    }

    /// - Returns: false where what the session did brings another look: the outer one goes on.
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
