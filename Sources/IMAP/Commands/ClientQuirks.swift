package import struct NIOCore.ByteBuffer

/// Deviations from the grammar in clients that are in use. None of them reaches a server: the
/// gateway encodes each command again, in the grammar's spelling.
///
/// Spaces: the grammar has exactly one between two elements, and none elsewhere. Clients send
/// several, at the end of a command and inside parentheses: `NOOP `, `FETCH 1 (FLAGS  UID)`,
/// `APPEND Drafts (\Seen ) …`. Dovecot, Cyrus and Courier accept them.
extension Cursor {
    /// Consumes one or more spaces.
    mutating func expectBlank() throws(SyntaxError) {
        guard self.skipBlanks() else {
            throw self.error(self.isAtEnd ? .unexpectedEnd : .expected("space"))
        }
    }

    /// Consumes spaces.
    /// - Returns: whether another element of the list or command follows.
    mutating func takeBlank() -> Bool {
        self.skipBlanks() && !self.isAtEnd && self.peek() != UInt8(ascii: ")")
    }

    /// Expects the end of the command or of an APPEND's head, after any spaces.
    mutating func expectEndOfCommand() throws(SyntaxError) {
        self.skipBlanks()
        try self.expectEnd()
    }

    /// Consumes a word, ignoring ASCII case, and the spaces after it, if both follow.
    mutating func take(argumentsOf word: StaticString) -> Bool {
        var ahead = self
        guard ahead.take(word: word), ahead.skipBlanks() else { return false }
        self = ahead
        return true
    }

    /// Consumes the spaces before an opening parenthesis, if both follow.
    mutating func takeBlankBeforeList() -> Bool {
        var ahead = self
        guard ahead.skipBlanks(), ahead.peek() == UInt8(ascii: "(") else { return false }
        self = ahead
        return true
    }

    /// Consumes `(` and the spaces after it.
    mutating func expectOpening() throws(SyntaxError) {
        try self.expect("(")
        self.skipBlanks()
    }

    /// Consumes `)` and the spaces before it.
    mutating func expectClosing() throws(SyntaxError) {
        self.skipBlanks()
        try self.expect(")")
    }

    ///     "(" element *(SP element) ")"
    ///
    /// - Parameters:
    ///   - mayBeEmpty: whether `()` is allowed.
    ///   - limit: the most elements.
    /// - Throws: `commandTooLarge` beyond the limit, and any error of `element`.
    mutating func elements<Element>(
        mayBeEmpty: Bool = false,
        atMost limit: Int = Cursor.maximumElements,
        of element: (inout Cursor) throws(SyntaxError) -> Element
    ) throws(SyntaxError) -> [Element] {
        try self.expectOpening()
        if mayBeEmpty, self.take(")") { return [] }
        return try self.nested { cursor throws(SyntaxError) in
            var elements = [try element(&cursor)]
            while cursor.takeBlank() {
                guard elements.count < limit else { throw cursor.error(.commandTooLarge) }
                elements.append(try element(&cursor))
            }
            try cursor.expect(")")
            return elements
        }
    }

    /// The most elements of a list without a smaller limit. A client needs a few dozen, and each
    /// takes many times its octets in memory.
    static let maximumElements = 2_000

    @discardableResult
    private mutating func skipBlanks() -> Bool {
        guard self.take(" ") else { return false }
        while self.take(" ") {}
        return true
    }
}

extension ByteBuffer {
    /// A base64 line of a SASL exchange without the spaces at its end.
    package var withoutBlanksAtEnd: ByteBuffer {
        var line = self
        while line.readableBytes > 0,
            line.getInteger(at: line.writerIndex - 1) == UInt8(ascii: " ")
        {
            line.moveWriterIndex(to: line.writerIndex - 1)
        }
        return line
    }
}

/// The dates of messages.
extension Cursor {
    ///     date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    ///
    /// iOS and Outlook for Android send a day below ten with one digit, `3-Feb-2026`. Some clients
    /// send `GMT` for the zone `+0000`.
    ///
    /// - Returns: the date in the grammar's spelling, without quotes.
    mutating func dateTime() throws(SyntaxError) -> ByteBuffer {
        var cursor = Cursor(try self.quoted())
        guard let day = cursor.day(), cursor.take("-"), let month = cursor.month(),
            cursor.take("-"),
            let year = cursor.digits(4), cursor.take(" "),
            let hour = cursor.digits(2), cursor.take(":"),
            let minute = cursor.digits(2), cursor.take(":"),
            let second = cursor.digits(2), cursor.take(" "),
            let zone = cursor.zone(), cursor.isAtEnd
        else { throw self.error(.expected("date-time")) }
        return ByteBuffer(string: "\(day)-\(month)-\(year) \(hour):\(minute):\(second) \(zone)")
    }

    /// A day of two digits, the first of which may be a space. A single digit gets a leading zero.
    private mutating func day() -> String? {
        if self.take(" ") { return self.digits(1).map { " \($0)" } }
        guard let first = self.digits(1) else { return nil }
        return self.digits(1).map { first + $0 } ?? "0\(first)"
    }

    ///     zone = ("+" / "-") 4DIGIT
    private mutating func zone() -> String? {
        if self.take("+") { return self.digits(4).map { "+\($0)" } }
        if self.take("-") { return self.digits(4).map { "-\($0)" } }
        for name: StaticString in ["GMT", "UTC", "UT", "Z"] where self.take(word: name) {
            return "+0000"
        }
        return nil
    }

    /// - Returns: nil, without consuming anything, if fewer digits follow.
    private mutating func digits(_ count: Int) -> String? {
        var ahead = self
        let digits = ahead.buffer.readSlice(length: min(count, ahead.buffer.readableBytes))
        guard let digits, digits.readableBytes == count,
            digits.readableBytesView.allSatisfy(\.isDigit)
        else { return nil }
        self = ahead
        return String(buffer: digits)
    }

    /// A month's name, ignoring ASCII case.
    /// - Returns: the name in the grammar's spelling.
    mutating func month() -> StaticText? {
        for month in Self.months where self.take(word: month.word) { return month.text }
        return nil
    }

    private static let months: [(word: StaticString, text: StaticText)] = [
        ("Jan", "Jan"), ("Feb", "Feb"), ("Mar", "Mar"), ("Apr", "Apr"), ("May", "May"),
        ("Jun", "Jun"), ("Jul", "Jul"), ("Aug", "Aug"), ("Sep", "Sep"), ("Oct", "Oct"),
        ("Nov", "Nov"), ("Dec", "Dec"),
    ]
}
