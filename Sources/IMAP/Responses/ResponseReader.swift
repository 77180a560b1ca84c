package import struct NIOCore.ByteBuffer

/// Cuts a server's octets into pieces of responses, without collecting them.
///
/// A response is a first piece, which begins with its kind, and then the octets of literals and the
/// fragments of lines between them; the last piece ends with CR LF. A line that grows long is given
/// in fragments, so that what is held has a bound. A literal is announced at the end of a line,
/// except in status responses and continuations, whose text may end in anything.
package struct ResponseReader {
    /// A line longer than this is given in fragments. Responses that the gateway reads itself are
    /// shorter, and nobody's line has to fit.
    package static let maximumFragmentOctets = 16 * 1_024
    /// An announcement of a literal, with its CR LF, is at most `{`, 10 digits, `}`, CR, LF.
    private static let maximumAnnouncementOctets = 14
    /// RFC 9051 §4.3 leaves 63 bits; a message of 4 GiB passes nowhere else either.
    private static let maximumLiteralOctets: UInt64 = 4_294_967_295

    package struct Piece: Equatable, Sendable {
        package enum Kind: Equatable, Sendable {
            case line
            case literal
        }

        package var octets: ByteBuffer
        package var kind: Kind
        package var isFirst: Bool
        package var isLast: Bool
    }

    private enum State {
        case line
        case literal(remaining: UInt64)
    }

    private var state = State.line
    private var buffer = ByteBuffer()
    private var scanned = 0
    private var isFirst = true
    private var mayHaveLiterals = false

    package init() {}

    package var isBetweenResponses: Bool { self.isFirst && self.buffer.readableBytes == 0 }
    package var bufferedOctets: Int { self.buffer.readableBytes }

    package mutating func receive(_ octets: ByteBuffer) {
        if self.buffer.readableBytes == 0 {
            self.buffer = octets
        } else {
            self.buffer.writeImmutableBuffer(octets)
        }
    }

    /// What is behind the last piece.
    package mutating func takeBuffered() -> ByteBuffer {
        defer { self.buffer = ByteBuffer() }
        return self.buffer
    }

    /// - Returns: nil while more octets are needed.
    /// - Throws: what is no response; the connection is of no use any more.
    package mutating func next() throws(SyntaxError) -> Piece? {
        switch self.state {
        case .literal(let remaining):
            return self.nextLiteral(remaining)
        case .line:
            return try self.nextLine()
        }
    }

    private mutating func nextLiteral(_ remaining: UInt64) -> Piece? {
        let count = Int(min(remaining, UInt64(self.buffer.readableBytes)))
        guard count > 0, let octets = self.buffer.readSlice(length: count) else { return nil }
        let rest = remaining - UInt64(count)
        self.state = rest == 0 ? .line : .literal(remaining: rest)
        return Piece(octets: octets, kind: .literal, isFirst: false, isLast: false)
    }

    private mutating func nextLine() throws(SyntaxError) -> Piece? {
        guard let end = try self.endOfLine() else { return try self.nextFragment() }
        let literal = try self.literal(endingAt: end)
        guard let octets = self.buffer.readSlice(length: end + 2) else { return nil }
        let piece = Piece(
            octets: octets,
            kind: .line,
            isFirst: self.isFirst,
            isLast: literal == nil
        )
        self.scanned = 0
        self.isFirst = literal == nil
        if let literal, literal > 0 { self.state = .literal(remaining: literal) }
        return piece
    }

    /// A part of a line whose end is not there yet, once it is long enough.
    private mutating func nextFragment() throws(SyntaxError) -> Piece? {
        guard self.buffer.readableBytes > Self.maximumFragmentOctets else { return nil }
        if self.isFirst { self.mayHaveLiterals = Self.mayHaveLiterals(self.buffer) }
        let count = self.buffer.readableBytes - Self.maximumAnnouncementOctets
        guard let octets = self.buffer.readSlice(length: count) else { return nil }
        self.scanned = max(0, self.scanned - count)
        defer { self.isFirst = false }
        return Piece(octets: octets, kind: .line, isFirst: self.isFirst, isLast: false)
    }

    /// - Returns: the octets of the line before CR LF, once that is there.
    private mutating func endOfLine() throws(SyntaxError) -> Int? {
        var scanned = self.scanned
        var isMalformed = false
        let end: Int? = self.buffer.withUnsafeReadableBytes { octets in
            while scanned < octets.count {
                let octet = octets[scanned]
                if octet == 0x0D {
                    guard scanned + 1 < octets.count else { return nil }
                    isMalformed = octets[scanned + 1] != 0x0A
                    return isMalformed ? nil : scanned
                }
                if octet == 0x0A || octet == 0 {
                    isMalformed = true
                    return nil
                }
                scanned += 1
            }
            return nil
        }
        self.scanned = scanned
        if isMalformed { throw SyntaxError(.malformedLineEnd, at: scanned) }
        return end
    }

    ///     literal = "{" number64 "}" CRLF *CHAR8
    private mutating func literal(endingAt end: Int) throws(SyntaxError) -> UInt64? {
        let base = self.buffer.readerIndex
        guard end > 2, self.buffer.getInteger(at: base + end - 1) == UInt8(ascii: "}") else {
            return nil
        }
        if self.isFirst { self.mayHaveLiterals = Self.mayHaveLiterals(self.buffer) }
        guard self.mayHaveLiterals else { return nil }
        var open = end - 2
        while open >= 0, let octet: UInt8 = self.buffer.getInteger(at: base + open),
            octet != UInt8(ascii: "{")
        {
            // RFC 7888 §3: a server never announces a non-synchronising literal.
            if octet == UInt8(ascii: "+") { throw SyntaxError(.malformedLiteral, at: end) }
            guard octet.isDigit else { return nil }
            open -= 1
        }
        guard open >= 0, end - 2 - open > 0 else { return nil }
        var cursor = Cursor(self.buffer)
        cursor.advance(open + 1)
        let octets = try cursor.number64()
        guard octets <= Self.maximumLiteralOctets, end - 2 - open <= 10 else {
            throw SyntaxError(.literalTooLarge, at: end)
        }
        return octets
    }

    /// Whether the response that begins here is data: not a status, and not a continuation.
    private static func mayHaveLiterals(_ line: ByteBuffer) -> Bool {
        var cursor = Cursor(line)
        guard cursor.take("*"), cursor.take(" ") else { return false }
        let word = cursor.takeRun(where: \.isAtomChar)
        return Condition(word) == nil
    }
}
