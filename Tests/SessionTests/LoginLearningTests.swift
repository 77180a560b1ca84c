import Access
import IMAP
import NIOCore
import Session
import Testing

/// A login asks the servers of the accounts in sight for their capabilities before it is answered.
@Suite struct LoginLearningTests {
    /// What the client hears of a login while Bob's server has not answered.
    private static func answer(
        _ event: (inout ClientSession, Fixture) -> Void
    ) throws -> String {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        var session = ClientSession(snapshot: fixture.snapshot, hasTLS: true, at: Fixture.now)
        session.opened()
        session.clientOctetsReceived(
            ByteBuffer(string: "l LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        let profiles = fixture.profiles.filter { $0.key == 1 }
        session.authenticationFinished(.accepted(fixture.anna, account: nil, profiles: profiles))
        #expect(!Self.toClient(&session).contains("l OK"))
        event(&session, fixture)
        return Self.toClient(&session)
    }

    private static func toClient(_ session: inout ClientSession) -> String {
        var actions: [Action] = []
        session.takeActions(into: &actions)
        return actions.map { action in
            if case .toClient(let octets) = action { String(buffer: octets) } else { "" }
        }.joined()
    }

    @Test func `a login is answered when an account that it asks is revoked`() throws {
        let answer = try Self.answer { session, fixture in
            var fixture = fixture
            fixture.grants = []
            session.snapshotChanged(fixture.snapshot, at: Fixture.now)
        }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login is answered when a connection that it asks ends`() throws {
        let answer = try Self.answer { session, _ in session.upstreamClosed(2) }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login is answered when a server cannot be had`() throws {
        let answer = try Self.answer { session, _ in session.upstreamFailed(2, .unreachable) }
        #expect(answer.contains("l OK"))
    }
}
