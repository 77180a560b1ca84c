import Foundation
import SMTP
import Testing

@testable import Session

/// Commands that are sent before the server has answered the earlier ones.
@Suite struct PipelinedCommandsTests {
    @Test func `no command follows DATA, a line of more than 512 octets, or fifty commands`() {
        var commands = PipelinedCommands()
        commands.append(.mail, octets: 512)
        #expect(commands.takesCommand && !commands.isAtData && commands.recipients == 0)
        commands.append(.data, octets: 6)
        #expect(!commands.takesCommand && commands.count == 2)
        _ = commands.removeFirst()
        #expect(!commands.takesCommand && commands.isAtData)
        _ = commands.removeFirst()
        #expect(commands.takesCommand && commands.isEmpty && commands.removeFirst() == nil)
        commands.append(.mail, octets: 513)
        #expect(!commands.takesCommand)
        _ = commands.removeFirst()
        for _ in 0..<49 { commands.append(.mail, octets: 20) }
        #expect(commands.takesCommand)
        commands.append(.mail, octets: 20)
        #expect(!commands.takesCommand)
        _ = commands.removeFirst()
        #expect(commands.takesCommand)
        commands.waitForReplies()
        #expect(!commands.takesCommand)
    }

    // MARK: - The client sees no difference

    private static let envelope =
        "MAIL FROM:<anna@kanzlei.example>\r\nRCPT TO:<v@x.example>\r\nRCPT TO:<w@x.example>\r\nDATA\r\n"
    private static let from = ["anna@kanzlei.example", "clara@kanzlei.example"]

    /// Replies of a server at a step; `!` after the step means that it closes the connection then.
    static let answers: [(step: String, replies: [String])] = [
        ("MAIL", ["250 ok", "550 no", "452 full", "421 bye", "221 bye", "354 go"]),
        ("RCPT", ["250 ok", "251 ok", "550 no", "450 later", "421 bye", "354 go"]),
        ("DATA", ["354 go", "554 no", "451 later", "421 bye", "250 ok"]),
    ]

    /// What a client reads, and what the server takes.
    private struct Outcome: Equatable {
        var toClient: String
        var messages: [[UInt8]]
    }

    /// The client sends a transaction to a server that lies, and then one to an honest server.
    private static func run(
        _ lies: [String: [UInt8]],
        from author: String,
        chunk: Int
    ) -> Outcome {
        var bench = SubmissionBench()
        bench.lies = lies
        let message = "From: \(author)\r\n\r\nhi\r\n.\r\n"
        bench.send(Array((self.envelope + message).utf8), chunk: chunk)
        #expect(bench.breaches == [], "\(lies)")
        bench.lies = [:]
        let honest = "From: anna@kanzlei.example\r\n\r\nsecond\r\n.\r\nQUIT\r\n"
        bench.send(Array(("RSET\r\n" + self.envelope + honest).utf8), chunk: chunk)
        #expect(bench.breaches == [] && bench.isClosed, "\(lies)")
        #expect(bench.messages.last?.starts(with: Array("From: anna".utf8)) ?? false, "\(lies)")
        return Outcome(
            toClient: String(decoding: bench.toClient, as: UTF8.self),
            messages: bench.messages
        )
    }

    /// Octet by octet, each command waits for the reply to the one before it. In one go, RCPT and DATA are ahead.
    private static func compare(_ lies: [String: [UInt8]]) {
        for author in self.from {
            let ahead = self.run(lies, from: author, chunk: .max)
            let waiting = self.run(lies, from: author, chunk: 1)
            let shown = lies.mapValues { String(decoding: $0, as: UTF8.self) }
            #expect(ahead == waiting, "\(shown), from \(author)")
        }
    }

    @Test func `a client reads the same whether its commands are sent ahead or not`() {
        for mail in Self.answers[0].replies {
            for rcpt in Self.answers[1].replies {
                for data in Self.answers[2].replies {
                    let texts = ["MAIL": mail, "RCPT": rcpt, "DATA": data]
                    Self.compare(texts.mapValues { Array("\($0)\r\n".utf8) })
                }
            }
        }
    }

    @Test(arguments: ["MAIL", "RCPT"], ["250 ok", "550 no", "421 bye"])
    func `a client reads the same of a server that closes the connection`(
        step: String,
        reply: String
    ) {
        Self.compare(["\(step)!": Array("\(reply)\r\n".utf8)])
    }
}
