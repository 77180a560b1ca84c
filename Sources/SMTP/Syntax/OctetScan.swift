/// Searches of octets, eight at a time. Messages are searched octet by octet otherwise, which was
/// half of the work for a large one.
extension UnsafeRawBufferPointer {
    /// A word with 1 in each octet.
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    /// A word with the highest bit of each octet.
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// The index of the first octet that is less than a limit; `count` if there is none.
    /// - Parameters:
    ///   - limit: 1 to 128.
    ///   - start: Where the search begins.
    func firstIndex(below limit: UInt8, from start: Int) -> Int {
        self.firstIndex(from: start) { word in
            (word &- Self.ones &* UInt64(limit)) & ~word & Self.highBits
        } matches: {
            $0 < limit
        }
    }

    /// The index of the first octet with a value; `count` if there is none.
    /// - Parameter start: Where the search begins.
    func firstIndex(of octet: UInt8, from start: Int) -> Int {
        self.firstIndex(from: start) { word in
            let different = word ^ (Self.ones &* UInt64(octet))
            return (different &- Self.ones) & ~different & Self.highBits
        } matches: {
            $0 == octet
        }
    }

    /// - Parameters:
    ///   - found: Marks octets of a word, the lowest of which is the first match. Octets above it may
    ///     be marked without a match, because of the borrow of a subtraction.
    ///   - matches: Whether one octet is a match.
    @inline(__always)
    private func firstIndex(
        from start: Int,
        found: (UInt64) -> UInt64,
        matches: (UInt8) -> Bool
    ) -> Int {
        let size = MemoryLayout<UInt64>.size
        var index = start
        while index + size <= self.count {
            let word = UInt64(
                littleEndian: self.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let marks = found(word)
            if marks != 0 { return index + marks.trailingZeroBitCount / UInt8.bitWidth }
            index += size
        }
        while index < self.count, !matches(self[index]) { index += 1 }
        return index
    }
}
