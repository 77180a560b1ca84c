import Access
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Gateway
@testable import Store

/// When a stored credential is tried, and when it rests.
@Suite struct CredentialCircuitsTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    static func account(
        version: Int64 = 1,
        host: String = "mail.kanzlei.example"
    ) -> UpstreamAccount {
        UpstreamAccount(
            id: AccountID(7),
            kind: .imap,
            address: "bob@kanzlei.example",
            imap: Endpoint(host: host, port: 993, tls: .implicit),
            smtp: Endpoint(host: host, port: 465, tls: .implicit),
            username: "bob",
            sealedPassword: nil,
            credentialVersion: version
        )
    }

    /// - Returns: the pause that a refusal begins.
    private static func refuse(
        _ circuits: inout CredentialCircuits,
        _ service: CredentialService = .imap,
        at now: NIODeadline
    ) -> TimeAmount? {
        circuits.refused(Self.account(), service, tolerated: 0, at: now).map { $0.until - now }
    }

    @Test func `the pause grows to one hour`() {
        var circuits = CredentialCircuits()
        var now = Self.start
        var pauses: [Int64] = []
        for _ in 0..<6 {
            #expect(circuits.admit(Self.account(), .imap, at: now) == .admitted)
            let pause = Self.refuse(&circuits, at: now) ?? .zero
            pauses.append(pause.nanoseconds / 1_000_000_000)
            #expect(circuits.admit(Self.account(), .imap, at: now) == .suspended)
            let almost = now + pause - .nanoseconds(1)
            #expect(circuits.admit(Self.account(), .imap, at: almost) == .suspended)
            now = now + pause
        }
        #expect(pauses == [60, 240, 960, 3_600, 3_600, 3_600])
    }

    @Test func `one login tries a credential that is not known to be right, and the others wait`() {
        var circuits = CredentialCircuits()
        let account = Self.account()
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        #expect(circuits.admit(account, .imap, at: Self.start) == .waits)
        circuits.ended(account, .imap)
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        circuits.accepted(account, .imap, at: Self.start)
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        let later = Self.start + CredentialCircuits.trust
        #expect(circuits.admit(account, .imap, at: later) == .admitted)
        #expect(circuits.admit(account, .imap, at: later) == .waits)
    }

    @Test func `a login without a verdict leaves everything as it was`() {
        var circuits = CredentialCircuits()
        let account = Self.account()
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        circuits.ended(account, .imap)
        #expect(circuits.suspension(of: account, .imap, at: Self.start) == nil)
    }

    @Test func `a changed credential, or server, is tried at once`() {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), .imap, at: Self.start) == .suspended)
        let changed = Self.account(version: 2)
        #expect(circuits.admit(changed, .submission, at: Self.start) == .admitted)
        #expect(circuits.admit(changed, .imap, at: Self.start) == .admitted)
        _ = circuits.refused(changed, .imap, tolerated: 0, at: Self.start)
        let moved = Self.account(version: 2, host: "new.kanzlei.example")
        #expect(circuits.admit(moved, .imap, at: Self.start) == .admitted)
        // What the old server says late is not about the new one.
        #expect(circuits.refused(changed, .imap, tolerated: 0, at: Self.start) == nil)
        #expect(circuits.suspension(of: moved, .imap, at: Self.start) == nil)
        circuits.ended(moved, .imap)
        #expect(circuits.admit(moved, .imap, at: Self.start) == .admitted)
    }

    @Test func `a refusal counts for both protocols`() {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, .submission, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), .imap, at: Self.start) == .suspended)
        #expect(circuits.admit(Self.account(), .submission, at: Self.start) == .suspended)
        // The other server may be asked once after the first pause; what it refuses counts with the rest.
        let later = Self.start + .seconds(60)
        #expect(circuits.admit(Self.account(), .imap, at: later) == .admitted)
        #expect(Self.refuse(&circuits, .imap, at: later) == .seconds(240))
        #expect(circuits.admit(Self.account(), .submission, at: later) == .suspended)
        #expect(circuits.admit(Self.account(), .submission, at: later + .seconds(60)) == .admitted)
        #expect(Self.refuse(&circuits, .submission, at: later + .seconds(60)) == .seconds(960))
    }

    @Test func `a server that has accepted the credential is not closed by the other one`() {
        var circuits = CredentialCircuits()
        circuits.accepted(Self.account(), .imap, at: Self.start)
        #expect(Self.refuse(&circuits, .submission, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), .imap, at: Self.start) == .admitted)
        #expect(circuits.admit(Self.account(), .submission, at: Self.start) == .suspended)
        // But one refusal there ends that.
        #expect(Self.refuse(&circuits, .imap, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), .imap, at: Self.start) == .suspended)
    }

    @Test func `logins under way together are one refusal, and a success begins anew`() {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, at: Self.start) == .seconds(60))
        #expect(Self.refuse(&circuits, at: Self.start) == nil)
        #expect(Self.refuse(&circuits, at: Self.start + .seconds(60)) == .seconds(240))
        circuits.accepted(Self.account(), .imap, at: Self.start)
        #expect(Self.refuse(&circuits, at: Self.start) == .seconds(60))
    }

    @Test func `a token is fetched anew once before it rests`() {
        var circuits = CredentialCircuits()
        let account = Self.account()
        #expect(circuits.refused(account, .imap, tolerated: 1, at: Self.start) == nil)
        #expect(circuits.admit(account, .imap, at: Self.start) == .admitted)
        let second = circuits.refused(account, .imap, tolerated: 1, at: Self.start)
        #expect(second?.until == Self.start + .seconds(60))
    }
}

/// The circuit breaker, with logins that wait for each other.
@Suite struct CredentialBreakerTests {
    private static let account = CredentialCircuitsTests.account()

    private static func breaker(waitingTime: TimeAmount = .minutes(5)) -> CredentialBreaker {
        CredentialBreaker(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            waitingTime: waitingTime
        )
    }

    @Test func `who waits too long gives up, and the next one goes on`() async throws {
        let breaker = Self.breaker(waitingTime: .milliseconds(20))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var first: CredentialBreaker.Attempt? =
            try await breaker.attempt(Self.account, .imap, on: loop).get()
        #expect(first != nil)
        for _ in 0..<3 {
            await #expect(throws: CredentialBreaker.WaitedTooLong.self) {
                _ = try await breaker.attempt(Self.account, .imap, on: loop).get()
            }
        }
        first = nil
        try await breaker.attempt(Self.account, .imap, on: loop).get().accepted()
    }

    @Test func `a thousand logins that wait go on one by one, and nobody is left`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var first: CredentialBreaker.Attempt? =
            try await breaker.attempt(Self.account, .imap, on: loop).get()
        #expect(first != nil)
        // Each of them leaves without a verdict.
        let waiting = (0..<1_000).map { _ in
            breaker.attempt(Self.account, .imap, on: loop).map { _ in }
        }
        first = nil
        for attempt in waiting { try await attempt.get() }
    }

    @Test func `a refusal at the other server lets nobody wait`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var first: CredentialBreaker.Attempt? =
            try await breaker.attempt(Self.account, .imap, on: loop).get()
        #expect(first != nil)
        let waiting = (0..<3).map { _ in breaker.attempt(Self.account, .imap, on: loop) }
        breaker.refused(Self.account, .submission)
        first = nil
        for attempt in waiting {
            await #expect(throws: CredentialBreaker.Suspended.self) { _ = try await attempt.get() }
        }
    }

    @Test func `only accounts at rest are looked at for the list`() {
        var circuits = CredentialCircuits()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for number in 100..<200 {
            var account = Self.account
            account.id = AccountID(Int64(number))
            circuits.accepted(account, .imap, at: now)
        }
        _ = circuits.refused(Self.account, .imap, tolerated: 0, at: now)
        circuits.keep(at: now) { _ in true }
        #expect(circuits.resting == [Self.account.id])
        circuits.accepted(Self.account, .imap, at: now)
        #expect(circuits.resting == [])
        _ = circuits.refused(Self.account, .imap, tolerated: 0, at: now)
        circuits.keep(at: now + .hours(2)) { _ in true }
        #expect(circuits.resting == [])
        _ = circuits.refused(Self.account, .imap, tolerated: 0, at: now + .hours(2))
        circuits.keep(at: now + .hours(2)) { _ in false }
        #expect(circuits.resting == [])
    }

    @Test func `fifty logins at once are one refusal`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let attempts = (0..<50).map { _ in breaker.attempt(Self.account, .imap, on: loop) }
        let tried = try await withThrowingTaskGroup(of: Bool.self) { group in
            for attempt in attempts {
                group.addTask {
                    do {
                        try await attempt.get().refused()
                        return true
                    } catch is CredentialBreaker.Suspended {
                        return false
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(tried == 1)
        #expect(breaker.suspended([Self.account.id: Self.account]).map(\.refusals) == [1, 1])
    }

    @Test func `who waits goes on when the first login ends without a verdict`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var first: CredentialBreaker.Attempt? = try await breaker.attempt(
            Self.account,
            .imap,
            on: loop
        )
        .get()
        let second = breaker.attempt(Self.account, .imap, on: loop)
        let third = breaker.attempt(Self.account, .imap, on: loop)
        #expect(first != nil)
        first = nil
        try await second.get().accepted()
        try await third.get().accepted()
        #expect(breaker.suspended([Self.account.id: Self.account]) == [])
    }

    @Test func `a success elsewhere ends the pause`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await breaker.attempt(Self.account, .imap, on: loop).get().refused()
        await #expect(throws: CredentialBreaker.Suspended.self) {
            _ = try await breaker.attempt(Self.account, .submission, on: loop).get()
        }
        breaker.accepted(Self.account, .imap)
        try await breaker.attempt(Self.account, .submission, on: loop).get().accepted()
    }
}
