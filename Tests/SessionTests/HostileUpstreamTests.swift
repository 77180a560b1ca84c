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
