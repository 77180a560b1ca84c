import Testing

/// What a server sends to get lines of its own making to a client.
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

    /// The client gets nothing of a status' text, however long it is and wherever it is cut.
    @Test(arguments: [100, 1_000, 16_384, 16_390, 1_000_000])
    func `no words of a status reach the client`(chunk: Int) throws {
        let text = String(repeating: "x", count: 40_000) + " a2 OK pwned"
        let script =
            Self.selected + "U anna< * OK \(text)\nU anna< * NO \(text)\nC: a2 NOOP\n"
            + "U anna> T NOOP\nU anna< T OK \(text)\nS: a2 OK NOOP completed\n"
        var dialog = try Dialog(script, name: "long status")
        try dialog.run(chunk: chunk)
    }

    /// Flags that somebody invented keep nobody from the mailbox.
    @Test(arguments: [1_000, 16_384, 1_000_000])
    func `a mailbox of too many flags is opened`(chunk: Int) throws {
        let flags = (0..<20_000).map { "x\($0)" }.joined(separator: " ")
        // Those that are whole in the first 64 KiB.
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

    /// A server that lists without an end is left; the others' folders are shown.
    @Test func `a listing has a bound`() throws {
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

    /// A literal for the gateway alone: the client reads its octets as responses.
    @Test(arguments: [
        "* 3 EXISTS {13}\\r\\na2 OK pwned\\r\\n", "* SEARCH {13}\\r\\na2 OK pwned\\r\\n",
        "* VANISHED {13}\\r\\na2 OK pwned\\r\\n", "* 3 FETCH {13}\\r\\na2 OK pwned\\r\\n",
        "* 3 EXISTS a2 OK pwned",
    ])
    func `no literal hides in data without strings`(line: String) throws {
        let script =
            Self.selected + "U anna< \(line)\n! drop anna\nS: * OK [CLOSED] The mailbox is closed\n"
        for chunk in [1, 1_000_000] {
            var dialog = try Dialog(script, name: "hidden literal")
            try dialog.run(chunk: chunk)
        }
    }
}
