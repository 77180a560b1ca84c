import Access
import IMAP
import NIOCore
import Session
import Testing

/// A login asks the server of the personal account for its capabilities before it is answered.
/// Without a personal account, it asks the servers of all visible accounts.
@Suite struct LoginLearningTests {
    /// A session that was logged in.
    /// - Parameters:
    ///   - settings: of the fixture.
    ///   - known: accounts whose servers are known.
    private static func loggedIn(
        _ settings: [String],
        known: Set<AccountID>
    ) throws -> (ClientSession, Fixture) {
        var fixture = Fixture()
        for setting in settings { try fixture.configure(setting) }
        var session = ClientSession(snapshot: fixture.snapshot, hasTLS: true, at: Fixture.now)
        session.opened()
        session.clientOctetsReceived(
            ByteBuffer(string: "l LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        let profiles = fixture.profiles.filter { known.contains($0.key) }
        session.authenticationFinished(.accepted(fixture.anna, account: nil, profiles: profiles))
        return (session, fixture)
    }

    /// What the client of a user without an own account hears of a login while Bob's server has not answered.
    private static func answer(
        _ event: (inout ClientSession, Fixture) -> Void
    ) throws -> String {
        var (session, fixture) = try Self.loggedIn(
            ["ownerless anna", "grant bob account lr"],
            known: []
        )
        #expect(!Self.toClient(&session).contains("l OK"))
        event(&session, fixture)
        return Self.toClient(&session)
    }

    private static func toClient(_ session: inout ClientSession) -> String {
        var actions: [Action] = []
        session.takeActions(into: &actions)
        return actions.compactMap(\.octetsToTheClient).joined()
    }

    @Test func `a login is answered when the awaited account is revoked`() throws {
        let answer = try Self.answer { session, fixture in
            var fixture = fixture
            fixture.grants = []
            session.snapshotChanged(fixture.snapshot, at: Fixture.now)
        }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login is answered when the awaited connection ends`() throws {
        let answer = try Self.answer { session, _ in session.upstreamClosed(2) }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login is answered when the awaited server is unreachable`() throws {
        let answer = try Self.answer { session, _ in session.upstreamFailed(2, fault: .unreachable)
        }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login is answered when the awaited server takes too long`() throws {
        let answer = try Self.answer { session, _ in session.waitingTimePassed() }
        #expect(answer.contains("l OK"))
    }

    @Test func `a login with a personal account waits for no other server`() throws {
        var (session, _) = try Self.loggedIn(["grant bob account lr"], known: [1])
        var actions: [Action] = []
        session.takeActions(into: &actions)
        #expect(!actions.contains(.openUpstream(2)))
        #expect(actions.contains { $0.octetsToTheClient?.hasPrefix("l OK") ?? false })
    }

    @Test func `a login waits for the server of the personal account without a time limit`() throws
    {
        var (session, _) = try Self.loggedIn(["grant bob account lr"], known: [])
        session.waitingTimePassed()
        #expect(!Self.toClient(&session).contains("l OK"))
        session.upstreamFailed(1, fault: .unreachable)
        #expect(Self.toClient(&session).contains("l OK"))
    }
}

extension Action {
    fileprivate var octetsToTheClient: String? {
        if case .toClient(let octets) = self { String(buffer: octets) } else { nil }
    }
}
