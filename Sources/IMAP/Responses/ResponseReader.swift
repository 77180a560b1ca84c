package import struct NIOCore.ByteBuffer

/// Cuts a server's octets into pieces of responses, without collecting them.
///
/// A response is a first piece, which begins with its kind, and then the octets of literals and the
/// fragments of lines between them; the last piece ends with CR LF. A line of data that grows long
/// is given in fragments, so that what is held has a bound. A status response or continuation is
/// always one piece, because its text is read whole or not at all.
///
/// A literal is announced at the end of a line of data that may hold strings, whatever quotes stand
/// before it: such a line cannot end inside a quoted string. Elsewhere an announcement is text, or
/// breaks the connection (``LiteralRule``).
///
/// The first words of a response are given with one space between them (``UnspacedHead``).
///
/// The list of flags of a mailbox, which grows with what anybody invents, is cut instead where it is
/// too long: it must not keep anybody from the mailbox.
package struct ResponseReader: Sendable {
    /// A line of data longer than this is given in fragments: nobody's SEARCH has to fit.
    package static let maximumFragmentOctets = 16 * 1_024
    /// A status response or continuation is not longer.
    ///
    /// A COPYUID of some thousand messages that do not follow each other has 64 KiB; without a bound
    /// a server fills the memory with one `* OK`.
    package static let maximumTextOctets = 64 * 1_024
    /// RFC 9051 §4.3 leaves 63 bits; a message of 4 GiB passes nowhere else either.
    private static let maximumLiteralOctets: UInt64 = 4_294_967_295
    /// The digits of ``maximumLiteralOctets``.
    private static let maximumLiteralDigits = 10
    /// An announcement of a literal, with its CR LF, is at most `{`, 10 digits, `}`, CR, LF.
    private static let maximumAnnouncementOctets = 14
    /// The first word behind a condition decides whether a long line is cut: `[PERMANENTFLAGS `.
    private static let maximumCodeOctets = 32

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
    /// Octets of the buffer that hold no line end.
    private var scanned = 0
    private var isFirst = true
    /// Of the response that is arriving; only looked up where it matters.
    private var rule = LiteralRule.text
    /// The beginning of a status response whose rest is left out.
    private var beginning: ByteBuffer?
    /// Whether the last fragment ended in an announcement that is longer than any may be.
    private var isOverlong = false

    package init() {}

    package var isBetweenResponses: Bool { self.isFirst && self.buffer.readableBytes == 0 }
    package var bufferedOctets: Int { self.buffer.readableBytes }
    /// The octets that no piece has been made of.
    package var unread: ByteBuffer { self.buffer }

    package mutating func receive(_ octets: ByteBuffer) {
        guard self.buffer.readableBytes > 0 else {
            self.buffer = octets
            return
        }
        // A buffer that is only appended to keeps every octet that was ever read from it.
        if self.buffer.readerIndex > 0 { self.buffer.discardReadBytes() }
        self.buffer.writeImmutableBuffer(octets)
    }

    /// What is behind the last piece.
    package mutating func takeBuffered() -> ByteBuffer {
        self.scanned = 0
        return self.take(self.buffer.readableBytes)
    }

    /// - Returns: nil while more octets are needed.
    /// - Throws: what is no response; the connection is of no use any more.
    package mutating func next() throws(SyntaxError) -> Piece? {
        switch self.state {
        case .literal(let remaining):
            self.nextLiteral(remaining)
        case .line:
            try self.nextLine()
        }
    }

    private mutating func nextLiteral(_ remaining: UInt64) -> Piece? {
        let count = Int(min(remaining, UInt64(self.buffer.readableBytes)))
        guard count > 0 else { return nil }
        let rest = remaining - UInt64(count)
        self.state = rest == 0 ? .line : .literal(remaining: rest)
        return Piece(octets: self.take(count), kind: .literal, isFirst: false, isLast: false)
    }

    private mutating func nextLine() throws(SyntaxError) -> Piece? {
        guard let end = try self.endOfLine() else { return try self.nextFragment() }
        if let beginning = self.beginning { return self.leaveOut(end, behind: beginning) }
        let literal = try self.literal(endingAt: end)
        let isFirst = self.isFirst
        if isFirst, end > Self.maximumTextOctets, try self.cutsLongText() {
            return try self.nextLine()
        }
        self.scanned = 0
        self.isOverlong = false
        self.isFirst = literal == nil
        if let literal, literal > 0 { self.state = .literal(remaining: literal) }
        return Piece(
            octets: isFirst ? self.takeUnspaced(end + 2) : self.take(end + 2),
            kind: .line,
            isFirst: isFirst,
            isLast: literal == nil
        )
    }

    /// A part of a line whose end is not there yet, once it is long enough.
    private mutating func nextFragment() throws(SyntaxError) -> Piece? {
        guard self.beginning == nil else {
            _ = self.take(self.scanned)
            self.scanned = 0
            return nil
        }
        guard self.buffer.readableBytes > Self.maximumFragmentOctets else { return nil }
        if self.isFirst {
            self.rule = self.ruleOfLine
            if self.rule == .text {
                // A CR at the end is none of the text.
                if self.scanned > Self.maximumTextOctets { _ = try self.cutsLongText() }
                return nil
            }
        }
        let count = self.buffer.readableBytes - Self.maximumAnnouncementOctets
        self.isOverlong = self.endsInAnnouncement(count)
        self.scanned = max(0, self.scanned - count)
        let isFirst = self.isFirst
        self.isFirst = false
        let octets = isFirst ? self.takeUnspaced(count) : self.take(count)
        return Piece(octets: octets, kind: .line, isFirst: isFirst, isLast: false)
    }

    /// - Returns: whether the line is of the kind that is cut, and is from now on.
    private mutating func cutsLongText() throws(SyntaxError) -> Bool {
        guard self.ruleOfLine == .text else { return false }
        var cursor = Cursor(self.unspacedBeginning)
        guard cursor.take(word: "* OK [PERMANENTFLAGS ") else {
            throw SyntaxError(.lineTooLong, at: Self.maximumTextOctets)
        }
        self.beginning = self.takeUnspaced(Self.maximumTextOctets)
        self.scanned = 0
        return true
    }

    /// The end of a line that was cut is there.
    private mutating func leaveOut(_ end: Int, behind beginning: ByteBuffer) -> Piece {
        _ = self.take(end + 2)
        self.scanned = 0
        self.beginning = nil
        var octets = beginning
        // Behind the last flag that is whole.
        if let space = octets.readableBytesView.lastIndex(of: UInt8(ascii: " ")) {
            octets.moveWriterIndex(to: space)
        }
        octets.writeStaticString(")] and more\r\n")
        return Piece(octets: octets, kind: .line, isFirst: true, isLast: true)
    }

    /// The next octets, which share the buffer's storage; an empty buffer holds none.
    private mutating func take(_ count: Int) -> ByteBuffer {
        guard count < self.buffer.readableBytes, let octets = self.buffer.readSlice(length: count)
        else {
            defer { self.buffer = ByteBuffer() }
            return self.buffer
        }
        return octets
    }

    /// The next octets, which begin a response, without surplus spaces between its first words.
    private mutating func takeUnspaced(_ count: Int) -> ByteBuffer {
        guard var head = UnspacedHead(of: self.buffer) else { return self.take(count) }
        var octets = self.take(count)
        octets.moveReaderIndex(forwardBy: min(head.replacedOctets, octets.readableBytes))
        head.octets.writeBuffer(&octets)
        return head.octets
    }

    /// What the line begins with, without surplus spaces: enough to know what it is.
    private var unspacedBeginning: ByteBuffer {
        guard var head = UnspacedHead(of: self.buffer) else { return self.buffer }
        let rest = self.buffer.readableBytesView.dropFirst(head.replacedOctets)
        head.octets.writeBytes(rest.prefix(Self.maximumCodeOctets))
        return head.octets
    }

    private var ruleOfLine: LiteralRule { LiteralRule(self.unspacedBeginning) }

    /// - Returns: the octets of the line before CR LF, once that is there.
    private mutating func endOfLine() throws(SyntaxError) -> Int? {
        let (place, found) = self.buffer.lineEnd(from: self.scanned)
        self.scanned = place
        switch found {
        case .crlf: return place
        case .none: return nil
        case .malformed: throw SyntaxError(.malformedLineEnd, at: place)
        }
    }

    // MARK: - Announcements

    /// The size of the literal that a line announces.
    ///
    ///     literal = "{" number64 "}" CRLF *CHAR8
    ///
    /// Every other form at the end of a line, `{5+}` (RFC 7888 §3), `{-1}` or `{}`, breaks the
    /// connection: the client behind the gateway could take it for a literal.
    private mutating func literal(endingAt end: Int) throws(SyntaxError) -> UInt64? {
        guard end > 0, self.octet(at: end - 1) == UInt8(ascii: "}") else { return nil }
        if self.isFirst { self.rule = self.ruleOfLine }
        guard self.rule != .text else { return nil }
        let start = self.startOfCount(endingAt: end - 1)
        guard start > 0 else {
            if self.isOverlong { throw SyntaxError(.literalTooLarge, at: end) }
            return nil
        }
        guard self.octet(at: start - 1) == UInt8(ascii: "{") else { return nil }
        guard self.rule == .allowed else { throw SyntaxError(.literalNotAllowed, at: end) }
        return try self.count(from: start, to: end - 1)
    }

    private func count(from start: Int, to end: Int) throws(SyntaxError) -> UInt64 {
        guard end - start <= Self.maximumLiteralDigits else {
            throw SyntaxError(.literalTooLarge, at: end)
        }
        var cursor = Cursor(self.buffer)
        cursor.advance(start)
        guard let octets = try? cursor.number64(), cursor.offset == end else {
            throw SyntaxError(.malformedLiteral, at: end)
        }
        guard octets <= Self.maximumLiteralOctets else {
            throw SyntaxError(.literalTooLarge, at: end)
        }
        return octets
    }

    /// Whether the octets before `cut` are a brace and a part of a count.
    ///
    /// What they announce is then too large, because the longest announcement is held back whole.
    private func endsInAnnouncement(_ cut: Int) -> Bool {
        let start = self.startOfCount(endingAt: cut)
        guard start > 0 else { return self.isOverlong }
        return self.octet(at: start - 1) == UInt8(ascii: "{")
    }

    /// Where the run of octets begins that could be read as a number by somebody.
    private func startOfCount(endingAt end: Int) -> Int {
        self.buffer.withUnsafeReadableBytes { octets in
            var start = end
            while start > 0, start <= octets.count {
                switch octets[start - 1] {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
                    UInt8(ascii: "-"), UInt8(ascii: " "):
                    start -= 1
                default:
                    return start
                }
            }
            return start
        }
    }

    private func octet(at offset: Int) -> UInt8? {
        self.buffer.getInteger(at: self.buffer.readerIndex + offset)
    }
}
