import Access
import NIOCore
import Testing

@testable import Session

/// A submission session yields the event loop after a bounded amount of work.
@Suite final class SubmissionTurnsTests {
    private var session: SubmissionSession

    /// A session that is logged in.
    init() {
        let fixture = Fixture()
        self.session = SubmissionSession(
            settings: SubmissionSession.Settings(
                maximumMessageOctets: 1_000_000,
                name: "gw.example"
            ),
            counter: SendingCounter(limits: SendingCounter.Limits()),
            copySpace: SentCopySpace(limits: SentCopySpace.Limits()),
            snapshot: fixture.snapshot,
            hasTLS: true,
            at: Fixture.now
        )
        self.session.opened()
        let login = "EHLO x\r\nAUTH PLAIN AGFubmFAa2FuemxlaS5leGFtcGxlAHB3\r\n"
        self.session.clientOctetsReceived(ByteBuffer(string: login), at: Fixture.now)
        self.session.authenticationFinished(.accepted(fixture.anna, account: nil, profiles: [:]))
        _ = self.turn()
    }

    private struct Turn: Equatable {
        var answers: Int
        var toUpstream: Int
        var readsLater: Bool
    }

    /// The session's effects since the last call.
    private func turn() -> Turn {
        var actions: [SubmissionAction] = []
        self.session.takeActions(into: &actions)
        let text = actions.compactMap(\.octetsToClient).map { String(buffer: $0) }.joined()
        let toUpstream = actions.count { if case .toUpstream = $0 { true } else { false } }
        return Turn(
            answers: text.split(separator: "\r\n").count,
            toUpstream: toUpstream,
            readsLater: actions.contains(.readLater)
        )
    }

    private func client(_ text: String) -> Turn {
        self.session.clientOctetsReceived(ByteBuffer(string: text), at: Fixture.now)
        return self.turn()
    }

    private func resumeReading() -> Turn {
        self.session.resumeReading(at: Fixture.now)
        return self.turn()
    }

    private func upstream(_ text: String) {
        self.session.upstreamOctetsReceived(ByteBuffer(string: text), at: Fixture.now)
    }

    @Test(arguments: ["NOOP\r\n", "RSET\r\n", "VRFY x\r\n", "BDAT 0\r\n", "BDAT 1\r\nx"])
    func `a turn executes sixteen commands`(command: String) {
        if command.hasPrefix("BDAT") {
            _ = self.client("MAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\n")
        }
        let first = self.client(String(repeating: command, count: 40))
        #expect(first == Turn(answers: 16, toUpstream: 0, readsLater: true))
        // Further octets or events do not continue the session.
        #expect(self.client(command) == Turn(answers: 0, toUpstream: 0, readsLater: false))
        self.session.timePassed(at: Fixture.now)
        #expect(self.turn() == Turn(answers: 0, toUpstream: 0, readsLater: false))
        #expect(!self.session.wantsClientOctets)
        #expect(self.resumeReading() == Turn(answers: 16, toUpstream: 0, readsLater: true))
        #expect(self.resumeReading() == Turn(answers: 9, toUpstream: 0, readsLater: false))
        #expect(self.session.wantsClientOctets)
    }

    @Test func `a turn reads two hundred pieces of a message`() {
        _ = self.client("MAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n")
        let message = String(repeating: "..\r\n", count: 500)
        #expect(self.client(message) == Turn(answers: 0, toUpstream: 0, readsLater: true))
        #expect(self.session.messageOctets <= 201 * 4)
        #expect(self.resumeReading().readsLater)
        #expect(self.session.messageOctets <= 402 * 4)
        #expect(!self.resumeReading().readsLater)
        #expect(self.session.messageOctets == 2_000)
    }

    @Test func `octets that arrive after a yield wait for the next turn`() {
        self.session.yieldLoop()
        self.session.yieldLoop()
        #expect(self.turn() == Turn(answers: 0, toUpstream: 0, readsLater: true))
        #expect(self.client("NOOP\r\n") == Turn(answers: 0, toUpstream: 0, readsLater: false))
        #expect(self.resumeReading() == Turn(answers: 1, toUpstream: 0, readsLater: false))
    }

    @Test func `a session that has ended does not yield`() {
        #expect(self.client("QUIT\r\n").answers == 1)
        self.session.yieldLoop()
        #expect(self.resumeReading() == Turn(answers: 0, toUpstream: 0, readsLater: false))
    }

    @Test func `fifty commands at most wait for the server's replies`() {
        _ = self.client("MAIL FROM:<anna@kanzlei.example>\r\n")
        let replies = ["220 x\r\n", "250-x\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n", "235 Ok\r\n"]
        if let profile = SubmissionLogin.run(against: replies).profile {
            self.session.upstreamReady(profile)
        }
        #expect(self.turn().toUpstream == 1)
        let recipients = String(repeating: "RCPT TO:<x@y.example>\r\n", count: 60)
        #expect(self.client(recipients) == Turn(answers: 0, toUpstream: 16, readsLater: true))
        for _ in 0..<2 {
            #expect(self.resumeReading() == Turn(answers: 0, toUpstream: 16, readsLater: true))
        }
        #expect(self.resumeReading() == Turn(answers: 0, toUpstream: 1, readsLater: false))
        // Each reply makes room for one command.
        self.upstream("250 Ok\r\n")
        #expect(self.turn() == Turn(answers: 1, toUpstream: 1, readsLater: false))
        self.upstream(String(repeating: "250 Ok\r\n", count: 50))
        #expect(self.turn() == Turn(answers: 50, toUpstream: 10, readsLater: false))
        self.upstream(String(repeating: "250 Ok\r\n", count: 10))
        #expect(self.turn() == Turn(answers: 10, toUpstream: 0, readsLater: false))
    }

    @Test(arguments: ["RCPT TO:<x@y.example>\r\n", "DATA\r\n"])
    func `nothing follows a line that a server may answer twice`(command: String) {
        _ = self.client("MAIL FROM:<anna@kanzlei.example>\r\n")
        let hello = "250-x\r\n250-PIPELINING\r\n250-DSN\r\n250 AUTH PLAIN\r\n"
        let replies = ["220 x\r\n", hello, "235 Ok\r\n"]
        if let profile = SubmissionLogin.run(against: replies).profile {
            self.session.upstreamReady(profile)
        }
        _ = self.turn()
        // A line of more than 512 octets waits, and what is behind it waits for its reply.
        let original = String(repeating: "x", count: 500)
        let long = "RCPT TO:<x@y.example> ORCPT=rfc822;\(original)\r\n"
        let waiting = Turn(answers: 0, toUpstream: 0, readsLater: false)
        #expect(self.client(long + command) == waiting)
        self.upstream("250 Ok\r\n")
        #expect(self.turn() == Turn(answers: 1, toUpstream: 1, readsLater: false))
        self.upstream("250 Ok\r\n")
        let isData = command.hasPrefix("DATA")
        let next = Turn(answers: isData ? 2 : 1, toUpstream: isData ? 0 : 1, readsLater: false)
        #expect(self.turn() == next)
    }

    @Test func `a piece of a message with many dots is sent in one action`() {
        _ = self.client("MAIL FROM:<anna@kanzlei.example>\r\n")
        let replies = ["220 x\r\n", "250-x\r\n250 AUTH PLAIN\r\n", "235 Ok\r\n"]
        if let profile = SubmissionLogin.run(against: replies).profile {
            self.session.upstreamReady(profile)
        }
        self.upstream("250 Ok\r\n")
        _ = self.client("RCPT TO:<x@y.example>\r\n")
        self.upstream("250 Ok\r\n")
        let header = "From: anna@kanzlei.example\r\n\r\n"
        _ = self.client("BDAT \(header.utf8.count)\r\n\(header)")
        self.upstream("354 Go on\r\n")
        _ = self.turn()
        let body = String(repeating: ".\r\n", count: 5_000)
        let turn = self.client("BDAT \(body.utf8.count)\r\n\(body)")
        #expect(turn == Turn(answers: 1, toUpstream: 1, readsLater: false))
    }
}
