import Access
import NIOCore
import NIOEmbedded
import Session
import Store
import Testing

@testable import Gateway

/// What one connection adds to the audit log: who acts, where, and what came of it.
@Suite(.timeLimit(.minutes(20))) struct AuditTrailTests {
    private static func bench() throws -> (fixture: StoreFixture, log: AuditLog, trail: AuditTrail)
    {
        let fixture = try StoreFixture()
        let log = AuditLog(
            store: fixture.store,
            masterKey: fixture.masterKey,
            days: nil,
            logger: fixture.log.logger
        )
        log.start(on: EmbeddedEventLoop()) { _ in }
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 1_000)
        return (fixture, log, AuditTrail(log, address: address))
    }

    private static func refused(_ name: String) -> AuditEvent {
        var event = AuditEvent(name)
        event.outcome = .refused
        return event
    }

    private static func records(_ fixture: StoreFixture) throws -> [AuditRecord] {
        try fixture.store.auditEntries().map(\.record).filter {
            !["gateway start", "gateway stop", "change"].contains($0.event)
        }
    }

    @Test(arguments: [
        ("anna@kanzlei.example", "anna@kanzlei.example"),
        ("ANNA@Kanzlei.Example", "anna@kanzlei.example"),
        ("nobody@kanzlei.example", "unknown nobody@kanzlei.example"),
        ("nobody@localhost", "unknown"), ("s3cret-password", "unknown"), ("", "unknown"),
        ("a b@x.example", "unknown"), ("nobody@", "unknown"), ("@x.example", "unknown"),
    ])
    func `a login name that may be a password is not recorded`(
        login: String,
        actor: String
    ) async throws {
        var (fixture, log, trail) = try Self.bench()
        let snapshot = try fixture.store.load().access
        #expect(trail.loginTried(Array(login.utf8), snapshot: snapshot) == actor)
        trail.record(Self.refused("test"), snapshot: snapshot)
        trail.flush(snapshot)
        try await log.stop()
        let records = try Self.records(fixture)
        #expect(records.map(\.actor) == [actor])
        #expect(records.map(\.from) == ["192.0.2.7"])
        #expect(records.map(\.outcome) == [.refused])
    }

    @Test func `an unknown login is recorded up to the maximum length of a login`() async throws {
        var (fixture, log, trail) = try Self.bench()
        let snapshot = try fixture.store.load().access
        let login = String(repeating: "x", count: 10_000) + "@x.example"
        let actor = trail.loginTried(Array(login.utf8), snapshot: snapshot)
        #expect(actor.utf8.count < 300)
        try await log.stop()
    }

    @Test
    func `an event before the login has the actor nobody, later ones the actor of their login`()
        async throws
    {
        var (fixture, log, trail) = try Self.bench()
        let snapshot = try fixture.store.load().access
        trail.record(Self.refused("first"), snapshot: snapshot)
        _ = trail.loginTried(Array("anna@kanzlei.example".utf8), snapshot: snapshot)
        trail.record(AuditEvent("second"), snapshot: snapshot)
        _ = trail.loginTried(Array("bob@kanzlei.example".utf8), snapshot: snapshot)
        trail.record(AuditEvent("third"), snapshot: snapshot)
        trail.flush(snapshot)
        try await log.stop()
        let records = try Self.records(fixture)
        #expect(records.map(\.event) == ["first", "second", "third"])
        #expect(
            records.map(\.actor) == ["nobody", "anna@kanzlei.example", "bob@kanzlei.example"]
        )
    }

    @Test func `places are recorded as addresses and folders, and empty lists are left out`()
        async throws
    {
        var (fixture, log, trail) = try Self.bench()
        let snapshot = try fixture.store.load().access
        var event = AuditEvent("copy")
        event.mailbox = .init(
            account: try fixture.account("anna"),
            folder: try StoreFixture.folderPath("INBOX")
        )
        event.target = .init(account: try fixture.account("bob"), folder: nil)
        event.count = 3
        trail.record(event, snapshot: snapshot)
        event.mailbox = .init(account: AccountID(9_999), folder: nil)
        event.target = nil
        event.because = ["wall"]
        event.detail = ["one", "two"]
        trail.record(event, snapshot: snapshot)
        trail.flush(snapshot)
        try await log.stop()
        let records = try Self.records(fixture)
        #expect(records.map(\.account) == ["anna@kanzlei.example", nil])
        #expect(records.map(\.folder) == ["INBOX", nil])
        #expect(records.map(\.targetAccount) == ["bob@kanzlei.example", nil])
        #expect(records.map(\.targetFolder) == [nil, nil])
        #expect(records.map(\.count) == [3, 3])
        #expect(records.map(\.because) == [nil, ["wall"]])
        #expect(records.map(\.detail) == [nil, ["one", "two"]])
    }
}
