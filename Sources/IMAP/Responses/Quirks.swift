/// What servers in use send against the grammar, and the gateway lets pass.
extension Cursor {
    /// The end of a response, with the spaces that some servers put before it.
    ///
    ///     CRLF
    ///
    /// Exchange ends STATUS with a space before it, `* STATUS INBOX (MESSAGES 1) ` (Exchange 2010
    /// and Exchange Online; github.com/emersion/go-imap issue 540), and other servers do so in
    /// CAPABILITY and SEARCH.
    mutating func expectLineEnd() throws(SyntaxError) {
        self.skipSpaces()
        guard self.take(word: "\r\n") else { throw self.error(.malformedLineEnd) }
        try self.expectEnd()
    }

    /// One or more spaces, where the grammar has one.
    ///
    ///     SP
    ///
    /// Servers write the words of a response with several spaces between them (`*  1843 EXISTS`), as
    /// tables are; each client that skips white space reads them. Between the first words of a line
    /// ``ResponseReader`` takes the surplus out, before anybody looks at the line.
    mutating func expectSpaces() throws(SyntaxError) {
        try self.expectSpace()
        self.skipSpaces()
    }

    mutating func skipSpaces() {
        while self.take(" ") {}
    }

    /// A list of a response, with the spaces that some servers put behind `(`, before `)`, and twice
    /// between two elements.
    ///
    ///     "(" [element *(SP element)] ")"
    mutating func spacedList<Element>(
        of element: (inout Cursor) throws(SyntaxError) -> Element
    ) throws(SyntaxError) -> [Element] {
        try self.expect("(")
        self.skipSpaces()
        var elements: [Element] = []
        while !self.take(")") {
            elements.append(try element(&self))
            guard self.peek() != UInt8(ascii: ")") else { continue }
            try self.expectSpaces()
        }
        return elements
    }

    /// Whether a QUOTA response ends behind the name of its root.
    ///
    /// Courier-IMAP answers GETQUOTAROOT with `* QUOTA "ROOT"` for a mailbox without a limit: the list
    /// of resources is missing, and is empty.
    mutating func isQuotaWithoutList() -> Bool {
        var ahead = self
        ahead.skipSpaces()
        _ = ahead.take(word: "NIL")
        ahead.skipSpaces()
        guard ahead.take(word: "\r\n"), ahead.isAtEnd else { return false }
        self = ahead
        return true
    }

    /// Whether a line is a response code that stands alone, without `* OK` before it.
    ///
    /// Exchange Online sends `[COPYUID 55 31 6]` so before it answers MOVE (imapflow's change log), or
    /// with `* ` before it.
    func isStrayCode() -> Bool {
        var ahead = self
        return ahead.take(word: "[COPYUID ")
    }
}
