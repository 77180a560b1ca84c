import struct NIOCore.ByteBuffer

/// The first words of an untagged response that its server separated by several spaces, with single
/// spaces: `*  1843   EXISTS`.
///
/// These words determine the kind of the response and whether it may contain literals. They are
/// normalized before parsing, and the client gets the normalized form.
struct UnspacedHead: Equatable {
    /// The most consecutive spaces that are accepted: servers align numbers. More are an error.
    private static let maximumSpaces = 16
    /// The longest word, in octets: a number has ten digits, and keywords have fewer than twenty.
    private static let maximumWordOctets = 32

    /// The words with single spaces.
    var octets: ByteBuffer
    /// The number of octets of the line that ``octets`` replaces.
    var replacedOctets: Int

    /// - Parameter line: the start of a line.
    /// - Returns: nil if there is no surplus space, or if the line is no untagged response.
    init?(of line: ByteBuffer) {
        guard let end = line.withUnsafeReadableBytes({ Self.endOfSpacedHead($0) }),
            let head = line.getSlice(at: line.readerIndex, length: end)
        else { return nil }
        self.replacedOctets = end
        self.octets = ByteBuffer()
        self.octets.reserveCapacity(end)
        var previous: UInt8 = 0
        let space = UInt8(ascii: " ")
        for octet in head.readableBytesView {
            if octet != space || previous != space { self.octets.writeInteger(octet) }
            previous = octet
        }
    }

    /// The offset after the first words, if surplus spaces are between or after them.
    private static func endOfSpacedHead(_ line: UnsafeRawBufferPointer) -> Int? {
        guard line.count > 2, line[0] == UInt8(ascii: "*") else { return nil }
        var place = 1
        var hasSurplus = false
        var isNumber = true
        // The spaces before the first word, after it, and after a second one if the first is a
        // number.
        for round in 0..<3 {
            let start = place
            while place < line.count, line[place] == UInt8(ascii: " ") { place += 1 }
            let spaces = place - start
            guard spaces <= Self.maximumSpaces else { return nil }
            hasSurplus = hasSurplus || spaces > 1
            guard spaces > 0, isNumber, round < 2 else { break }
            let word = place
            while place < line.count, line[place].isAtomChar {
                isNumber = isNumber && line[place].isDigit
                place += 1
                guard place - word <= Self.maximumWordOctets else { return nil }
            }
            guard place > word else { break }
        }
        return hasSurplus ? place : nil
    }
}
