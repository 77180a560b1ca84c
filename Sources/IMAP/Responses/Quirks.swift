/// Deviations from the grammar in servers that are in use, which the gateway accepts.
extension Cursor {
    /// The end of a response, possibly after spaces.
    ///
    ///     CRLF
    ///
    /// Exchange sends a space at the end of STATUS, `* STATUS INBOX (MESSAGES 1) ` (Exchange 2010
    /// and Exchange Online; github.com/emersion/go-imap issue 540). Other servers do so in
    /// CAPABILITY and SEARCH.
    mutating func expectLineEnd() throws(SyntaxError) {
        self.skipSpaces()
        guard self.take(word: "\r\n") else { throw self.error(.malformedLineEnd) }
        try self.expectEnd()
    }

    /// One or more spaces where the grammar has one.
    ///
    ///     SP
    ///
    /// Some servers align words with several spaces, as in a table (`*  1843 EXISTS`); clients that
    /// skip white space accept this. Between the first words of a line, ``ResponseReader`` removes
    /// surplus spaces before the line is parsed.
    mutating func expectSpaces() throws(SyntaxError) {
        try self.expectSpace()
        self.skipSpaces()
    }

    /// Consumes any spaces.
    mutating func skipSpaces() {
        while self.take(" ") {}
    }

    /// A list. Some servers send spaces after `(`, before `)`, and several between two elements.
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

    /// Whether a QUOTA response ends after its root's name.
    ///
    /// Courier-IMAP answers GETQUOTAROOT with `* QUOTA "ROOT"` for a mailbox without limits: the
    /// missing list means an empty one.
    mutating func isQuotaWithoutList() -> Bool {
        var ahead = self
        ahead.skipSpaces()
        _ = ahead.take(word: "NIL")
        ahead.skipSpaces()
        guard ahead.take(word: "\r\n"), ahead.isAtEnd else { return false }
        self = ahead
        return true
    }

    /// Whether a line is a bare response code, without `* OK` before it.
    ///
    /// Exchange Online sends `[COPYUID 55 31 6]` or `* [COPYUID 55 31 6]` before its answer to MOVE
    /// (imapflow's change log).
    func isStrayCode() -> Bool {
        var ahead = self
        return ahead.take(word: "[COPYUID ")
    }
}
