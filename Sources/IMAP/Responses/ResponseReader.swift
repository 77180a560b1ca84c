package import struct NIOCore.ByteBuffer

/// A reader that splits a server's octets into pieces of responses, without collecting them.
///
/// A response is a first piece, which starts with its kind, then literals and the fragments of
/// lines between them. The last piece ends with CR LF. A long line of data is split into fragments,
/// so that memory is bounded. A status response or continuation is always one piece, because its
/// text must be read whole.
///
/// A literal is announced at the end of a line of data that may contain strings, regardless of
/// quotes before it: such a line cannot end in a quoted string. Elsewhere an announcement is text,
/// or a protocol violation (``LiteralRule``).
///
/// The first words of a response are separated by one space each (``UnspacedHead``).
///
/// A list of permanent flags that is too long is truncated: it must not prevent the selection of
/// the mailbox.
package struct ResponseReader: Sendable {
    /// The longest fragment of a line of data, in octets: a SEARCH may have any length.
    package static let maximumFragmentOctets = 16 * 1_024
    /// The longest status response or continuation, in octets.
    ///
    /// A COPYUID of some thousand messages that are not consecutive takes 64 KiB. Without a limit a
    /// server could fill the memory with one `* OK`.
    package static let maximumTextOctets = 64 * 1_024
    /// The largest literal. RFC 9051 §4.3 allows 63 bits, but no other software passes on messages
    /// of 4 GiB.
    private static let maximumLiteralOctets: UInt64 = 4_294_967_295
    /// The number of digits of ``maximumLiteralOctets``.
    private static let maximumLiteralDigits = 10
    /// The longest announcement with its CR LF: `{`, 10 digits, `}`, CR, LF.
    private static let maximumAnnouncementOctets = 14
    /// The octets that identify a truncatable line: `[PERMANENTFLAGS ` after the condition.
    private static let maximumCodeOctets = 32

    /// A part of a response.
    package struct Piece: Equatable, Sendable {
        /// A part of a line, or of a literal.
        package enum Kind: Equatable, Sendable {
            case line
            case literal
        }

        /// The octets, with CR LF at the end of a line.
        package var octets: ByteBuffer
        /// Whether they belong to a line or a literal.
        package var kind: Kind
        /// Whether the piece starts a response.
        package var isFirst: Bool
        /// Whether the piece ends a response.
        package var isLast: Bool
    }

    private enum State {
        case line
        case literal(remaining: UInt64)
    }

    private var state = State.line
    private var buffer = ByteBuffer()
    /// The octets of the buffer that contain no line end.
    private var scanned = 0
    private var isFirst = true
    /// The rule of the current response; determined only when needed.
    private var rule = LiteralRule.text
    /// The start of a status response that is being truncated.
    private var beginning: ByteBuffer?
    /// Whether the last fragment ended in an announcement longer than allowed.
    private var isOverlong = false

    package init() {}

    /// Whether no response is partly read.
    package var isBetweenResponses: Bool { self.isFirst && self.buffer.readableBytes == 0 }
    /// The number of octets in the buffer.
    package var bufferedOctets: Int { self.buffer.readableBytes }
    /// The octets that are not yet part of a piece.
    package var unread: ByteBuffer { self.buffer }

    /// Appends octets from the server.
    package mutating func receive(_ octets: ByteBuffer) {
        guard self.buffer.readableBytes > 0 else {
            self.buffer = octets
            return
        }
        // Without this, a buffer that is only appended to keeps every octet that was read.
        if self.buffer.readerIndex > 0 { self.buffer.discardReadBytes() }
        self.buffer.writeImmutableBuffer(octets)
    }

    /// Removes and returns the octets after the last piece.
    package mutating func takeBuffered() -> ByteBuffer {
        self.scanned = 0
        return self.take(self.buffer.readableBytes)
    }

    /// Reads the next piece.
    /// - Returns: nil while more octets are needed.
    /// - Throws: `SyntaxError` for an invalid response; the connection is unusable then.
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

    /// A fragment of a line whose end has not arrived, once it is long enough.
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
                // A CR at the end is not part of the text.
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

    /// Starts to truncate a line of permanent flags.
    /// - Returns: false if the line is no text.
    /// - Throws: `lineTooLong` for other text.
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

    /// Completes a truncated line when its end has arrived.
    private mutating func leaveOut(_ end: Int, behind beginning: ByteBuffer) -> Piece {
        _ = self.take(end + 2)
        self.scanned = 0
        self.beginning = nil
        var octets = beginning
        // Truncate after the last complete flag.
        if let space = octets.readableBytesView.lastIndex(of: UInt8(ascii: " ")) {
            octets.moveWriterIndex(to: space)
        }
        octets.writeStaticString(")] and more\r\n")
        return Piece(octets: octets, kind: .line, isFirst: true, isLast: true)
    }

    /// Removes octets, which share the buffer's storage. An empty buffer releases its storage.
    private mutating func take(_ count: Int) -> ByteBuffer {
        guard count < self.buffer.readableBytes, let octets = self.buffer.readSlice(length: count)
        else {
            defer { self.buffer = ByteBuffer() }
            return self.buffer
        }
        return octets
    }

    /// Removes the first octets of a response, without surplus spaces between its first words.
    private mutating func takeUnspaced(_ count: Int) -> ByteBuffer {
        guard var head = UnspacedHead(of: self.buffer) else { return self.take(count) }
        var octets = self.take(count)
        octets.moveReaderIndex(forwardBy: min(head.replacedOctets, octets.readableBytes))
        head.octets.writeBuffer(&octets)
        return head.octets
    }

    /// The start of the line without surplus spaces, long enough to identify it.
    private var unspacedBeginning: ByteBuffer {
        guard var head = UnspacedHead(of: self.buffer) else { return self.buffer }
        let rest = self.buffer.readableBytesView.dropFirst(head.replacedOctets)
        head.octets.writeBytes(rest.prefix(Self.maximumCodeOctets))
        return head.octets
    }

    private var ruleOfLine: LiteralRule { LiteralRule(self.unspacedBeginning) }

    /// - Returns: the length of the line before CR LF; nil if that has not arrived.
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

    /// The size of the literal that a line announces; nil if there is none.
    ///
    ///     literal = "{" number64 "}" CRLF *CHAR8
    ///
    /// Any other form at the end of a line, `{5+}` (RFC 7888 §3), `{-1}` or `{}`, is an error: a
    /// client could read it as a literal.
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
    /// Such a literal is too large, because the longest valid announcement is never split.
    private func endsInAnnouncement(_ cut: Int) -> Bool {
        let start = self.startOfCount(endingAt: cut)
        guard start > 0 else { return self.isOverlong }
        return self.octet(at: start - 1) == UInt8(ascii: "{")
    }

    /// The start of the octets that some reader could interpret as a number.
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
