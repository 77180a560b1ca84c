import struct NIOCore.ByteBuffer

/// The first words of an untagged response, written with one space where its server wrote several:
/// `*  1843   EXISTS`.
///
/// They decide what a response is and whether it may have literals. So they are brought into one form
/// before anybody looks at them, and the client gets the same form that the gateway read.
struct UnspacedHead: Equatable {
    /// Spaces in a row that are taken for one: servers align numbers. What has more is no response.
    private static let maximumSpaces = 16
    /// A number has ten digits, a word of the protocol fewer than twenty octets.
    private static let maximumWordOctets = 32

    /// With one space between two words.
    var octets: ByteBuffer
    /// Octets of the line that it takes the place of.
    var replacedOctets: Int

    /// - Parameter line: from its beginning.
    /// - Returns: nil where there is no surplus space, or the line is no untagged response.
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

    /// Where the octet behind the first words is, if there are surplus spaces between or behind them.
    private static func endOfSpacedHead(_ line: UnsafeRawBufferPointer) -> Int? {
        guard line.count > 2, line[0] == UInt8(ascii: "*") else { return nil }
        var place = 1
        var hasSurplus = false
        var isNumber = true
        // Before the first word, behind it, and behind a second one if the first is a number.
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
