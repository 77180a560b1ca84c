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
        while self.take(" ") {}
        guard self.take(word: "\r\n") else { throw self.error(.malformedLineEnd) }
        try self.expectEnd()
    }

    /// Whether a line is a response code that stands alone, without `* OK` before it.
    ///
    /// Exchange Online sends `[COPYUID 55 31 6]` so before it answers MOVE (imapflow's change log).
    func isStrayCode() -> Bool {
        var ahead = self
        return ahead.take(word: "[COPYUID ")
    }
}
