import Testing

/// Servers that try to send forged lines to a client.
@Suite struct HostileUpstreamTests {
    private static let selected = """
        @grant bob account lr
        C: a1 SELECT INBOX
        U anna> T SELECT INBOX
        U anna< * 1 EXISTS
        S: * 1 EXISTS
        U anna< T OK Selected.
        S: a1 OK [READ-WRITE] SELECT completed

        """

    /// No octet of the text is passed on, however long it is and wherever it is divided.
    @Test(arguments: [100, 1_000, 16_384, 16_390, 1_000_000])
    func `the text of a status response does not reach the client`(chunk: Int) throws {
        let text = String(repeating: "x", count: 40_000) + " a2 OK pwned"
        let script =
            Self.selected + "U anna< * OK \(text)\nU anna< * NO \(text)\nC: a2 NOOP\n"
            + "U anna> T NOOP\nU anna< T OK \(text)\nS: a2 OK NOOP completed\n"
        var dialog = try Dialog(script, name: "long status")
        try dialog.run(chunk: chunk)
    }

    /// Too many keywords must not make the mailbox unusable.
    @Test(arguments: [1_000, 16_384, 1_000_000])
    func `a mailbox with too many flags is selected`(chunk: Int) throws {
        let flags = (0..<20_000).map { "x\($0)" }.joined(separator: " ")
        // The flags that are complete within the first 64 KiB.
        let cut = "* OK [PERMANENTFLAGS (\\Seen \(flags)".prefix(64 * 1_024)
            .split(separator: " ").dropLast().joined(separator: " ")
        var dialog = try Dialog(
            """
            C: a1 SELECT INBOX
            U anna> T SELECT INBOX
            U anna< * FLAGS (\\Seen \(flags))
            U anna< * OK [PERMANENTFLAGS (\\Seen \(flags) \\*)] Flags permitted.
            S: \(cut))] Ok
            U anna< * 3 EXISTS
            S: * 3 EXISTS
            U anna< T OK Selected.
            S: a1 OK [READ-WRITE] SELECT completed

            """,
            name: "flags"
        )
        try dialog.run(chunk: chunk)
    }

    /// The gateway closes the connection to a server whose list does not end, and lists the folders
    /// of the others.
    @Test
    func `a server that exceeds the limit of a listing is disconnected and the others are listed`()
        throws
    {
        let line = "U anna< * LIST () \"/\" \(String(repeating: "a", count: 1_900))"
        let lines = (0..<4_500).map { "\(line)\($0)\n" }.joined()
        var dialog = try Dialog(
            """
            @grant bob account lr
            C: a1 LIST "" "*"
            U anna> T LIST "" "*" RETURN (SPECIAL-USE)
            U bob> T LIST "" "*" RETURN (SPECIAL-USE)
            U bob< * LIST () "." INBOX
            U bob< T OK Done.
            \(lines)! drop anna
            S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
            S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/INBOX"
            S: * NO [UNAVAILABLE] Some mailboxes cannot be reached now
            S: a1 OK LIST completed

            """,
            name: "a long listing"
        )
        try dialog.run(chunk: 1_000_000)
    }

    /// A client would read the octets of such a literal as responses.
    @Test(arguments: [
        "* 3 EXISTS {13}\\r\\na2 OK pwned\\r\\n", "* SEARCH {13}\\r\\na2 OK pwned\\r\\n",
        "* VANISHED {13}\\r\\na2 OK pwned\\r\\n", "* 3 FETCH {13}\\r\\na2 OK pwned\\r\\n",
        "* 3 EXISTS a2 OK pwned",
    ])
    func `a literal in data without strings ends the connection`(line: String) throws {
        let script =
            Self.selected + "U anna< \(line)\n! drop anna\nS: * OK [CLOSED] The mailbox is closed\n"
        for chunk in [1, 1_000_000] {
            var dialog = try Dialog(script, name: "hidden literal")
            try dialog.run(chunk: chunk)
        }
    }
}
