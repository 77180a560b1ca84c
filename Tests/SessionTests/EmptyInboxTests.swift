import Testing

/// SELECT while the empty INBOX of a user without one is selected.
@Suite struct EmptyInboxTests {
    private static let selected = """
        @login bob
        @grant bob folder:Akten lr
        C: a1 SELECT INBOX
        S: * FLAGS ()
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK [PERMANENTFLAGS ()] Ok
        S: * OK [UIDVALIDITY 1] Ok
        S: * OK [UIDNEXT 1] Ok
        S: a1 OK [READ-ONLY] SELECT completed

        """

    /// A BAD answer changes no state (RFC 7162 §3.2.5).
    @Test(arguments: ["Akten", "INBOX"])
    func `SELECT with QRESYNC before ENABLE is answered BAD and the empty INBOX stays selected`(
        mailbox: String
    ) throws {
        let script =
            Self.selected + """
                C: a2 SELECT \(mailbox) (QRESYNC (7 1))
                S: a2 BAD QRESYNC is not enabled
                C: a3 UID FETCH 1:* (FLAGS)
                S: a3 OK FETCH completed

                """
        var dialog = try Dialog(script, name: "QRESYNC before ENABLE")
        try dialog.run(chunk: .max)
    }

    @Test func `SELECT that is refused leaves no mailbox selected`() throws {
        let script =
            Self.selected + """
                C: a2 SELECT Missing
                S: a2 NO [NONEXISTENT] No such mailbox
                C: a3 UID FETCH 1:* (FLAGS)
                S: a3 BAD Not in this state

                """
        var dialog = try Dialog(script, name: "a refused SELECT")
        try dialog.run(chunk: .max)
    }
}
