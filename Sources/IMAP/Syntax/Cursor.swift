package import struct NIOCore.ByteBuffer

/// A position in a frame: a whole command or response with its literals in line.
///
/// It parses the basic productions of the grammar; others are extensions in the file of their type.
/// A frame contains a literal as it arrived: `{5}`, CR LF, five octets. The reader that split the
/// frame has already limited its size and checked each announcement.
package struct Cursor {
    /// The deepest nesting of parentheses and prefix operators: a client needs about ten levels.
    /// Without a limit a peer could overflow the stack of the recursive parser.
    package static let maximumDepth = 32

    /// The octets that are not consumed.
    package var buffer: ByteBuffer
    private let start: Int
    private var depth = 0
    /// The number of search keys that were parsed.
    var searchKeys = 0

    package init(_ frame: ByteBuffer) {
        self.buffer = frame
        self.start = frame.readerIndex
    }

    /// The number of octets consumed.
    package var offset: Int { self.buffer.readerIndex - self.start }

    /// Whether all octets are consumed.
    package var isAtEnd: Bool { self.buffer.readableBytes == 0 }

    /// An error at the current position.
    package func error(_ reason: SyntaxError.Reason) -> SyntaxError {
        SyntaxError(reason, at: self.offset)
    }

    /// The next octet; nil at the end.
    package func peek() -> UInt8? {
        self.buffer.getInteger(at: self.buffer.readerIndex)
    }

    /// The octet at a distance from the next one; nil beyond the end.
    package func peek(ahead distance: Int) -> UInt8? {
        self.buffer.getInteger(at: self.buffer.readerIndex + distance)
    }

    /// Consumes octets.
    package mutating func advance(_ count: Int = 1) {
        self.buffer.moveReaderIndex(forwardBy: min(count, self.buffer.readableBytes))
    }

    /// Consumes an octet if it is next.
    package mutating func take(_ octet: Character.ASCII) -> Bool {
        guard self.peek() == octet.value else { return false }
        self.advance()
        return true
    }

    /// Consumes an octet.
    /// - Throws: `unexpectedEnd`, or `expected` if another octet is next.
    package mutating func expect(_ octet: Character.ASCII) throws(SyntaxError) {
        guard self.take(octet) else {
            throw self.error(self.isAtEnd ? .unexpectedEnd : .expected("delimiter"))
        }
    }

    /// Consumes exactly one space.
    package mutating func expectSpace() throws(SyntaxError) {
        guard self.take(" ") else {
            throw self.error(self.isAtEnd ? .unexpectedEnd : .expected("space"))
        }
    }

    /// - Throws: `trailingOctets` unless all octets are consumed.
    package func expectEnd() throws(SyntaxError) {
        guard self.isAtEnd else { throw self.error(.trailingOctets) }
    }

    /// Consumes `word` if it is next, ignoring ASCII case and what follows it.
    package mutating func take(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard self.buffer.readableBytes >= length else { return false }
        let matches = word.withUTF8Buffer { expected in
            self.buffer.withUnsafeReadableBytes { octets in
                for index in 0..<length
                where octets[index].asciiUppercased != expected[index].asciiUppercased {
                    return false
                }
                return true
            }
        }
        if matches { self.advance(length) }
        return matches
    }

    /// Consumes the longest run of octets of a class, which may be empty.
    package mutating func takeRun(where belongs: (UInt8) -> Bool) -> ByteBuffer {
        let length = self.buffer.withUnsafeReadableBytes { octets in
            octets.firstIndex { !belongs($0) } ?? octets.count
        }
        return self.buffer.readSlice(length: length) ?? ByteBuffer()
    }

    ///     atom = 1*ATOM-CHAR
    package mutating func atom() throws(SyntaxError) -> ByteBuffer {
        let atom = self.takeRun(where: \.isAtomChar)
        guard atom.readableBytes > 0 else { throw self.error(.expected("atom")) }
        return atom
    }

    ///     number = 1*DIGIT ; unsigned 32-bit
    package mutating func number() throws(SyntaxError) -> UInt32 {
        guard let value = UInt32(exactly: try self.number64()) else {
            throw self.error(.malformedNumber)
        }
        return value
    }

    ///     number64 = 1*DIGIT ; unsigned 63-bit
    package mutating func number64() throws(SyntaxError) -> UInt64 {
        var value: UInt64 = 0
        var digits = 0
        while let octet = self.peek(), octet.isDigit {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(octet &- 0x30))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else {
                throw self.error(.malformedNumber)
            }
            value = sum
            digits += 1
            self.advance()
        }
        guard digits > 0 else { throw self.error(.expected("number")) }
        return value
    }

    ///     astring = 1*ASTRING-CHAR / string
    package mutating func astring() throws(SyntaxError) -> ByteBuffer {
        switch self.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "{"):
            return try self.string()
        case .some, .none:
            let atom = self.takeRun(where: \.isAstringChar)
            guard atom.readableBytes > 0 else { throw self.error(.expected("astring")) }
            return atom
        }
    }

    ///     string = quoted / literal
    package mutating func string() throws(SyntaxError) -> ByteBuffer {
        switch self.peek() {
        case UInt8(ascii: "\""):
            return try self.quoted()
        case UInt8(ascii: "{"):
            return try self.literal()
        case .some:
            throw self.error(.expected("string"))
        case .none:
            throw self.error(.unexpectedEnd)
        }
    }

    ///     nstring = string / nil
    package mutating func nstring() throws(SyntaxError) -> ByteBuffer? {
        if self.peek() == UInt8(ascii: "N") || self.peek() == UInt8(ascii: "n") {
            guard self.take(word: "NIL") else { throw self.error(.expected("NIL")) }
            return nil
        }
        return try self.string()
    }

    ///     quoted = DQUOTE *QUOTED-CHAR DQUOTE
    ///
    /// Eight-bit octets are accepted, because servers send them in texts; the caller decides.
    package mutating func quoted() throws(SyntaxError) -> ByteBuffer {
        try self.expect("\"")
        let plain = self.takeRun {
            $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && !$0.isControl
        }
        if self.take("\"") { return plain }
        var value = plain
        while let octet = self.peek() {
            self.advance()
            switch octet {
            case UInt8(ascii: "\""):
                return value
            case UInt8(ascii: "\\"):
                guard let escaped = self.peek(), escaped == 0x22 || escaped == 0x5C else {
                    throw self.error(.expected("escaped quote or backslash"))
                }
                value.writeInteger(escaped)
                self.advance()
            case _ where octet.isControl && octet != 0x09:
                throw self.error(.controlOctet)
            default:
                value.writeInteger(octet)
            }
        }
        throw self.error(.unexpectedEnd)
    }

    ///     literal = "{" number64 ["+"] "}" CRLF *CHAR8
    ///
    /// It contains no NUL: NUL needs a literal8, which is allowed for message data only (RFC 3516
    /// §4.4).
    package mutating func literal() throws(SyntaxError) -> ByteBuffer {
        try self.expect("{")
        let count = try self.number64()
        _ = self.take("+")
        try self.expect("}")
        guard self.take(word: "\r\n"), count <= UInt64(self.buffer.readableBytes),
            let value = self.buffer.readSlice(length: Int(count))
        else { throw self.error(.malformedLiteral) }
        let hasNull = value.withUnsafeReadableBytes { $0.contains(0) }
        guard !hasNull else { throw self.error(.controlOctet) }
        return value
    }

    /// Runs `body` one nesting level deeper.
    /// - Throws: `tooDeep` beyond ``maximumDepth``, and any error of `body`.
    package mutating func nested<Value>(
        _ body: (inout Cursor) throws(SyntaxError) -> Value
    ) throws(SyntaxError) -> Value {
        guard self.depth < Self.maximumDepth else { throw self.error(.tooDeep) }
        self.depth += 1
        let value = try body(&self)
        self.depth -= 1
        return value
    }

    ///     "(" element *(SP element) ")"
    ///
    /// - Parameters:
    ///   - mayBeEmpty: whether `()` is allowed.
    ///   - limit: the most elements.
    /// - Throws: `commandTooLarge` beyond the limit, and any error of `element`.
    package mutating func list<Element>(
        mayBeEmpty: Bool = false,
        atMost limit: Int = .max,
        of element: (inout Cursor) throws(SyntaxError) -> Element
    ) throws(SyntaxError) -> [Element] {
        try self.expect("(")
        if mayBeEmpty, self.take(")") { return [] }
        return try self.nested { cursor throws(SyntaxError) in
            var elements = [try element(&cursor)]
            while cursor.take(" ") {
                guard elements.count < limit else { throw cursor.error(.commandTooLarge) }
                elements.append(try element(&cursor))
            }
            try cursor.expect(")")
            return elements
        }
    }
}

extension Character {
    /// An ASCII character in the source.
    package struct ASCII: ExpressibleByUnicodeScalarLiteral {
        let value: UInt8

        package init(unicodeScalarLiteral value: Unicode.Scalar) {
            self.value = UInt8(ascii: value)
        }
    }
}

extension ByteBuffer {
    /// Whether the readable octets are `word`, ignoring ASCII case.
    package func equals(word: StaticString) -> Bool {
        guard self.readableBytes == word.utf8CodeUnitCount else { return false }
        var cursor = Cursor(self)
        return cursor.take(word: word)
    }

    /// The readable octets with ASCII letters in upper case, for look-ups of short keywords.
    package func uppercasedText() -> String {
        String(decoding: self.readableBytesView.lazy.map(\.asciiUppercased), as: UTF8.self)
    }
}
