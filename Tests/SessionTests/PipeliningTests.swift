import NIOCore
import Testing

@testable import Session

/// Thousands of pipelined commands in one read: each is answered, the stack stays bounded, and none waits forever.
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
    func `each of 2000 pipelined commands gets one tagged response`(command: String) throws {
        for state in command.hasPrefix("IDLE") ? ["in", "own", "shared"] : ["own"] {
            try Self.run(command, state)
        }
    }

    private static func run(_ command: String, _ state: String) throws {
        var bench = try AttackHarness(state: state)
        let count = 2_000
        let octets = Array(String(repeating: "x \(command)\r\n", count: count).utf8)
        bench.send(octets, chunk: .max)
        let answers = bench.clientLines.count { $0.hasPrefix("x ") }
        #expect(answers == count, "\(command): \(bench.clientText.suffix(200))")
        #expect(bench.breaches == [])
    }

    @Test func `a session yields the event loop after 16 pipelined commands`() {
        var session = ClientSession(snapshot: Fixture().snapshot, hasTLS: true, at: Fixture.now)
        let line = "x NOOP\r\n"
        session.clientOctetsReceived(
            ByteBuffer(string: String(repeating: line, count: 40)),
            at: Fixture.now
        )
        func answers() -> (count: Int, readsLater: Bool) {
            var actions: [Action] = []
            session.takeActions(into: &actions)
            let text = actions.compactMap(\.octetsToClient).map { String(buffer: $0) }.joined()
            return (text.split(separator: "\r\n").count, actions.contains(.readLater))
        }
        #expect(answers() == (16, true))
        // Further octets or events do not continue the session.
        session.clientOctetsReceived(ByteBuffer(string: line), at: Fixture.now)
        session.timePassed(at: Fixture.now)
        #expect(answers() == (0, false))
        #expect(!session.wantsClientOctets)
        session.resumeReading(at: Fixture.now)
        #expect(answers() == (16, true))
        session.resumeReading(at: Fixture.now)
        #expect(answers() == (9, false))
        #expect(session.wantsClientOctets)
    }

    @Test(arguments: [
        "RSET", "NOOP", "EHLO x", "MAIL FROM:<anna@kanzlei.example>\r\nRSET", "VRFY x",
    ])
    func `each of 2000 pipelined submission commands gets one reply`(command: String) {
        var bench = SubmissionBench()
        let count = 2_000
        bench.send(Array(String(repeating: "\(command)\r\n", count: count).utf8), chunk: .max)
        #expect(bench.codes.count == count * (command.contains("MAIL") ? 2 : 1))
        #expect(bench.breaches == [])
    }
}
