import Testing

/// Thousands of short commands in one piece: each is answered, none costs stack or waits for good.
@Suite struct PipeliningTests {
    static let commands = [
        "IDLE\r\nDONE", "NOOP", "CAPABILITY", "ID NIL", "NAMESPACE", "LIST \"\" \"\"",
        "LIST \"\" *",
        "LSUB \"\" *", "ENABLE CONDSTORE", "GETACL INBOX", "MYRIGHTS INBOX",
        "STATUS INBOX (MESSAGES)",
        "SUBSCRIBE \"Other Users/bob@kanzlei.example/INBOX\"", "SELECT INBOX", "SELECT Nirgends",
        "NOTIFY NONE", "CHECK", "UNSELECT", "SEARCH ALL", "FETCH 1 FLAGS", "SETACL INBOX x r",
        "APPEND INBOX {1+}\r\nx", "APPEND Nirgends {1+}\r\nx", "CREATE INBOX", "RENAME INBOX INBOX",
    ]

    @Test(arguments: commands)
    func `commands in one piece are answered one by one`(command: String) throws {
        for state in command.hasPrefix("IDLE") ? ["in", "own", "shared"] : ["own"] {
            try Self.run(command, state)
        }
    }

    private static func run(_ command: String, _ state: String) throws {
        var bench = try AttackBench(state: state)
        let count = 2_000
        let octets = Array(String(repeating: "x \(command)\r\n", count: count).utf8)
        bench.send(octets, chunk: .max)
        let answers = bench.clientLines.count { $0.hasPrefix("x ") }
        #expect(answers == count, "\(command): \(bench.clientText.suffix(200))")
        #expect(bench.breaches == [])
    }

    @Test(arguments: [
        "RSET", "NOOP", "EHLO x", "MAIL FROM:<anna@kanzlei.example>\r\nRSET", "VRFY x",
    ])
    func `commands of a submission in one piece are answered one by one`(command: String) {
        var bench = SubmissionBench()
        let count = 2_000
        bench.send(Array(String(repeating: "\(command)\r\n", count: count).utf8), chunk: .max)
        #expect(bench.codes.count == count * (command.contains("MAIL") ? 2 : 1))
        #expect(bench.breaches == [])
    }
}
