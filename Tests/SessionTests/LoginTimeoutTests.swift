import Access
import NIOCore
import Session
import Testing

/// The text that a client gets after a timeout.
@Suite struct LoginTimeoutTests {
    private static func mailSession() -> ClientSession {
        var session = ClientSession(snapshot: Fixture().snapshot, hasTLS: true, at: Fixture.now)
        session.opened()
        return session
    }

    private static func lastLine(_ session: inout ClientSession) -> String? {
        var actions: [Action] = []
        session.takeActions(into: &actions)
        #expect(actions.contains(.closeClient))
        let text = actions.map { action in
            if case .toClient(let octets) = action { String(buffer: octets) } else { "" }
        }.joined()
        return text.split(separator: "\r\n").last.map(String.init)
    }

    private static func submissionSession() -> SubmissionSession {
        var session = SubmissionSession(
            settings: SubmissionSession.Settings(maximumMessageOctets: 10_000, name: "gw.example"),
            counter: SendingCounter(limits: SendingCounter.Limits()),
            copySpace: SentCopySpace(limits: SentCopySpace.Limits()),
            snapshot: Fixture().snapshot,
            hasTLS: true,
            at: Fixture.now
        )
        session.opened()
        return session
    }

    private static func lastLine(_ session: inout SubmissionSession) -> String? {
        var actions: [SubmissionAction] = []
        session.takeActions(into: &actions)
        #expect(actions.contains(.closeClient))
        let text = actions.map { action in
            if case .toClient(let octets) = action { String(buffer: octets) } else { "" }
        }.joined()
        return text.split(separator: "\r\n").last.map(String.init)
    }

    @Test func `the BYE of an IMAP login timeout does not mention idling`() {
        var silent = Self.mailSession()
        silent.idleTimeoutPassed()
        #expect(Self.lastLine(&silent) == "* BYE Login took too long")
        var slow = Self.mailSession()
        let login = ByteBuffer(string: "a NOOP\r\nb LOGIN anna@kanzlei.example pw\r\n")
        slow.clientOctetsReceived(login, at: Fixture.now)
        slow.idleTimeoutPassed()
        #expect(Self.lastLine(&slow) == "* BYE Login took too long")
    }

    @Test func `the BYE of an IMAP idle timeout mentions idling`() {
        let fixture = Fixture()
        var session = Self.mailSession()
        session.clientOctetsReceived(
            ByteBuffer(string: "a LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        session.authenticationFinished(
            .accepted(fixture.anna, account: nil, profiles: fixture.profiles)
        )
        session.idleTimeoutPassed()
        #expect(Self.lastLine(&session) == "* BYE Idle for too long")
    }

    @Test func `the reply to a submission login timeout does not mention idling`() {
        var silent = Self.submissionSession()
        silent.idleTimeoutPassed()
        #expect(Self.lastLine(&silent) == "421 4.4.2 Login took too long")
        var slow = Self.submissionSession()
        let lines = ByteBuffer(string: "EHLO pc.example\r\nAUTH LOGIN\r\n")
        slow.clientOctetsReceived(lines, at: Fixture.now)
        slow.idleTimeoutPassed()
        #expect(Self.lastLine(&slow) == "421 4.4.2 Login took too long")
    }

    @Test func `the reply to a submission idle timeout mentions idling`() {
        let fixture = Fixture()
        var session = Self.submissionSession()
        session.clientOctetsReceived(
            ByteBuffer(
                string: "EHLO pc.example\r\nAUTH PLAIN AGFubmFAa2FuemxlaS5leGFtcGxlAHB3\r\n"
            ),
            at: Fixture.now
        )
        session.authenticationFinished(
            .accepted(fixture.anna, account: nil, profiles: fixture.profiles)
        )
        session.idleTimeoutPassed()
        #expect(Self.lastLine(&session) == "421 4.4.2 Idle or too slow for too long")
    }
}
