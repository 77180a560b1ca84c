package import struct NIOCore.ByteBuffer

/// `* 5 FETCH (UID 7 FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700")`, with the items that
/// the gateway itself requests (RFC 9051 §7.5.2).
///
/// It is parsed whole, or up to the announcement of a literal at the end of a first piece.
/// ``announced`` then is the number of octets that follow; the rest of the response is not parsed.
package struct FetchResponse: Equatable, Sendable {
    /// The message number.
    package var number: UInt32
    /// The item UID.
    package var uid: UInt32?
    /// The item FLAGS, without flags that cannot be set, such as `\Recent`.
    package var flags: [Flag]?
    /// The item INTERNALDATE without quotes, in the server's spelling.
    package var internalDate: ByteBuffer?
    /// The item RFC822.SIZE, in octets.
    package var size: UInt64?
    /// The value of an item BODY[…]; nil for NIL.
    package var body: ByteBuffer?
    /// Whether an item BODY[…] is present, even as NIL.
    package var hasBody = false
    /// The size of the literal that is announced at the end of the piece, in octets.
    package var announced: UInt64?

    /// - Parameter piece: a response, or its first piece, from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ piece: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(piece)
        guard cursor.take(word: "* ") else { throw cursor.error(.expected("data")) }
        self.number = try cursor.nonZeroNumber()
        guard cursor.take(word: " FETCH (") else { throw cursor.error(.expected("FETCH")) }
        cursor.skipSpaces()
        repeat {
            try self.readItem(&cursor)
            if self.announced != nil { return }
        } while try cursor.hasNextItem()
        try cursor.expectLineEnd()
    }

    ///     msg-att-static = "UID" SP uniqueid / "INTERNALDATE" SP date-time
    ///                    / "BODY" section ["<" number ">"] SP nstring / …
    private mutating func readItem(_ cursor: inout Cursor) throws(SyntaxError) {
        let name = cursor.takeRun { $0.isAtomChar && $0 != UInt8(ascii: "[") }
        if cursor.peek() == UInt8(ascii: "[") {
            try cursor.skipSection()
            try cursor.expectSpaces()
            return try self.readBody(&cursor)
        }
        try cursor.expectSpaces()
        if name.equals(word: "UID") {
            self.uid = try cursor.nonZeroNumber()
        } else if name.equals(word: "FLAGS") {
            self.flags = try cursor.wireFlags().compactMap { Flag($0) }
        } else if name.equals(word: "INTERNALDATE") {
            self.internalDate = try cursor.quoted()
        } else if name.equals(word: "RFC822.SIZE") {
            self.size = try cursor.number64()
        } else {
            try cursor.skipValue()
        }
    }

    private mutating func readBody(_ cursor: inout Cursor) throws(SyntaxError) {
        self.hasBody = true
        if let announced = cursor.literalAtEnd() {
            self.announced = announced
        } else {
            self.body = try cursor.nstring()
        }
    }
}

extension Cursor {
    /// Whether another item follows. If not, the end of the list is consumed.
    fileprivate mutating func hasNextItem() throws(SyntaxError) -> Bool {
        if self.take(")") { return false }
        try self.expectSpaces()
        return !self.take(")")
    }

    ///     section = "[" [section-spec] "]"
    ///
    /// A partial's origin may follow.
    fileprivate mutating func skipSection() throws(SyntaxError) {
        try self.expect("[")
        while let octet = self.peek(), octet != UInt8(ascii: "]") {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "{") {
                _ = try self.string()
            } else {
                self.advance()
            }
        }
        try self.expect("]")
        guard self.take("<") else { return }
        _ = try self.number64()
        try self.expect(">")
    }

    /// The size of a literal that is announced at the very end of the piece; else nil.
    fileprivate mutating func literalAtEnd() -> UInt64? {
        var ahead = self
        guard ahead.take("{"), let octets = try? ahead.number64(), ahead.take("}"),
            ahead.take(word: "\r\n"), ahead.isAtEnd
        else { return nil }
        self = ahead
        return octets
    }

    /// Skips the value of an unknown item.
    mutating func skipValue() throws(SyntaxError) {
        switch self.peek() {
        case UInt8(ascii: "("):
            self.advance()
            try self.skipToClose()
        case UInt8(ascii: "\""), UInt8(ascii: "{"):
            _ = try self.string()
        default:
            _ = try self.atom()
        }
    }
}
