import Access
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Gateway
@testable import Store

extension CredentialBreaker {
    /// A login of the gateway itself.
    func attempt(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        on loop: any EventLoop
    ) -> EventLoopFuture<Attempt> {
        self.attempt(account, service: service, of: nil, on: loop)
    }

    fileprivate func isSuspended(
        _ account: UpstreamAccount,
        _ service: CredentialService
    ) -> Bool {
        self.denial(account, service: service) != nil
    }
}

/// The circuit breaker, with logins that wait for each other.
@Suite(.timeLimit(.minutes(20))) struct CredentialBreakerTests {
    private static let account = CredentialCircuitsTests.account()

    private static func breaker(
        on loop: EmbeddedEventLoop,
        waitingTime: TimeAmount = .minutes(5),
        inForce: @escaping @Sendable (AccountID) -> UpstreamAccount? = { _ in nil }
    ) -> CredentialBreaker {
        CredentialBreaker(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            waitingTime: waitingTime,
            now: { loop.now },
            inForce: inForce
        )
    }

    /// What became of logins.
    private final class Ends: Sendable {
        private let counted = Mutex((tried: 0, denied: 0))

        var tried: Int { self.counted.withLock { $0.tried } }
        var denied: Int { self.counted.withLock { $0.denied } }

        /// - Parameter use: what a login does that is let in.
        func count(
            _ attempt: EventLoopFuture<CredentialBreaker.Attempt>,
            _ use: @escaping @Sendable (CredentialBreaker.Attempt) -> Void
        ) {
            attempt.whenComplete { result in
                switch result {
                case .success(let attempt):
                    self.counted.withLock { $0.tried += 1 }
                    use(attempt)
                case .failure(let error):
                    guard error is CredentialBreaker.Suspended else { return }
                    self.counted.withLock { $0.denied += 1 }
                }
            }
        }
    }

    @Test func `a changed password causes four failures among thirty concurrent logins`() {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        breaker.accepted(Self.account, service: .imap)
        let ends = Ends()
        for _ in 0..<30 {
            ends.count(breaker.attempt(Self.account, .imap, on: loop)) { attempt in
                loop.scheduleTask(in: .milliseconds(50)) { attempt.refused() }
            }
        }
        loop.advanceTime(by: .seconds(10))
        #expect(ends.tried == 4)
        #expect(ends.denied == 26)
    }

    /// How many logins are under way.
    private final class Gauge: Sendable {
        private let count = Mutex((now: 0, most: 0))

        var most: Int { self.count.withLock { $0.most } }

        func began() {
            self.count.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        }

        func ended() {
            self.count.withLock { $0.now -= 1 }
        }
    }

    /// How long that takes is computed in ``CredentialCircuitsTests``.
    @Test func `two hundred logins are admitted, four at a time`() {
        let loops = (0..<3).map { _ in EmbeddedEventLoop() }
        let breaker = Self.breaker(on: loops[0])
        let gauge = Gauge()
        let ends = Ends()
        for number in 0..<200 {
            let loop = loops[number % loops.count]
            ends.count(breaker.attempt(Self.account, .imap, on: loop)) { attempt in
                gauge.began()
                loop.scheduleTask(in: .milliseconds(10)) {
                    gauge.ended()
                    attempt.accepted()
                }
            }
        }
        for _ in 0..<1_000 {
            for loop in loops { loop.advanceTime(by: .milliseconds(1)) }
        }
        #expect(gauge.most == 4)
        #expect(ends.tried == 200)
    }

    @Test func `a login that waits with an old credential fails when another one is in force`()
        throws
    {
        let loop = EmbeddedEventLoop()
        let current = Mutex(Self.account)
        let breaker = Self.breaker(on: loop) { _ in current.withLock { $0 } }
        let first = try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        let waiting = breaker.attempt(Self.account, .imap, on: loop)
        let changed = CredentialCircuitsTests.account(version: 2)
        current.withLock { $0 = changed }
        let attempt = try loop.value(of: breaker.attempt(changed, .imap, on: loop))
        #expect(throws: CredentialBreaker.Outdated.self) { try loop.value(of: waiting) }
        #expect(throws: CredentialBreaker.Outdated.self) {
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        }
        // The old server's late refusal is not the new one's.
        first.refused()
        attempt.accepted()
        try loop.value(of: breaker.attempt(changed, .imap, on: loop)).accepted()
    }

    @Test func `a server that closes logins without an answer gets one login a second`()
        throws
    {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        let ask = {
            let attempt = try? loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
            attempt?.credentialSent(at: loop.now)
            return attempt != nil
        }
        #expect((0..<50).count { _ in ask() } == 2)
        #expect(breaker.isSuspended(Self.account, .imap))
        #expect(!breaker.isSuspended(Self.account, .submission))
        #expect(breaker.suspended(PersistentTable([(Self.account.id, Self.account)])) == [])
        loop.advanceTime(by: .milliseconds(999))
        #expect(!ask())
        loop.advanceTime(by: .milliseconds(1))
        #expect((0..<50).count { _ in ask() } == 1)
        breaker.accepted(Self.account, service: .imap)
        #expect(!breaker.isSuspended(Self.account, .imap))
    }

    @Test func `an unreachable or busy server is asked each time`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        for number in 0..<50 {
            let attempt = try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
            if number % 2 == 0 {
                attempt.credentialSent(at: loop.now)
                attempt.answeredWithoutVerdict()
            }
        }
        #expect(!breaker.isSuspended(Self.account, .imap))
    }

    @Test func `a login that waits too long fails, and the next one continues`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop, waitingTime: .seconds(20))
        var first: CredentialBreaker.Attempt? =
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        #expect(first != nil)
        for _ in 0..<3 {
            let attempt = breaker.attempt(Self.account, .imap, on: loop)
            loop.advanceTime(by: .seconds(19))
            #expect(throws: EmbeddedEventLoop.Pending.self) { try loop.value(of: attempt) }
            loop.advanceTime(by: .seconds(1))
            #expect(throws: CredentialBreaker.WaitedTooLong.self) { try loop.value(of: attempt) }
        }
        first = nil
        try loop.value(of: breaker.attempt(Self.account, .imap, on: loop)).accepted()
    }

    @Test func `a thousand waiting logins continue one by one, and none is left`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        var first: CredentialBreaker.Attempt? =
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        #expect(first != nil)
        // Each of them leaves without a verdict.
        let waiting = (0..<1_000).map { _ in
            breaker.attempt(Self.account, .imap, on: loop).map { _ in }
        }
        first = nil
        for attempt in waiting { try loop.value(of: attempt) }
    }

    @Test func `a refusal by the other server ends all waits`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        var first: CredentialBreaker.Attempt? =
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        #expect(first != nil)
        let waiting = (0..<3).map { _ in breaker.attempt(Self.account, .imap, on: loop) }
        breaker.refused(Self.account, service: .submission)
        first = nil
        for attempt in waiting {
            #expect(throws: CredentialBreaker.Suspended.self) { try loop.value(of: attempt) }
        }
    }

    @Test func `the list of suspensions looks at suspended accounts only`() {
        var circuits = CredentialCircuits()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for number in 100..<200 {
            var account = Self.account
            account.id = AccountID(Int64(number))
            _ = circuits.accepted(account, service: .imap, at: now)
        }
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now)
        circuits.keep(at: now) { _ in true }
        #expect(circuits.suspended == [Self.account.id])
        _ = circuits.accepted(Self.account, service: .imap, at: now)
        #expect(circuits.suspended == [])
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now)
        circuits.keep(at: now + .hours(2)) { _ in true }
        #expect(circuits.suspended == [])
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now + .hours(2))
        circuits.keep(at: now + .hours(2)) { _ in false }
        #expect(circuits.suspended == [])
    }

    @Test func `fifty concurrent logins count as one refusal`() {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        let ends = Ends()
        for _ in 0..<50 {
            ends.count(breaker.attempt(Self.account, .imap, on: loop)) { attempt in
                loop.execute { attempt.refused() }
            }
        }
        loop.run()
        #expect(ends.tried == 1)
        #expect(ends.denied == 49)
        #expect(
            breaker.suspended(PersistentTable([(Self.account.id, Self.account)])).map(\.refusals)
                == [1, 1]
        )
    }

    @Test func `a waiting login continues when the first one ends without a verdict`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        var first: CredentialBreaker.Attempt? =
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        let second = breaker.attempt(Self.account, .imap, on: loop)
        let third = breaker.attempt(Self.account, .imap, on: loop)
        #expect(first != nil)
        first = nil
        try loop.value(of: second).accepted()
        try loop.value(of: third).accepted()
        #expect(breaker.suspended(PersistentTable([(Self.account.id, Self.account)])) == [])
    }

    @Test func `a success of a command ends the suspension`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        try loop.value(of: breaker.attempt(Self.account, .imap, on: loop)).refused()
        #expect(throws: CredentialBreaker.Suspended.self) {
            try loop.value(of: breaker.attempt(Self.account, .submission, on: loop))
        }
        breaker.accepted(Self.account, service: .imap)
        try loop.value(of: breaker.attempt(Self.account, .submission, on: loop)).accepted()
    }

    // MARK: - What commands tell

    /// - Returns: how many credentials rest after the gateway was told.
    private static func tell(
        _ upstream: UpstreamServices,
        _ account: UpstreamAccount,
        isAccepted: Bool
    ) throws -> Int {
        let verdict = ControlMessage.CredentialRequest.Verdict(
            of: account,
            service: .imap,
            isAccepted: isAccepted
        )
        // As it goes over the socket.
        let request = ControlMessage.CredentialRequest(verdict: verdict)
        let line = try JSONEncoder().encode(request)
        return upstream.answer(
            try JSONDecoder().decode(ControlMessage.CredentialRequest.self, from: line)
        ).count
    }

    @Test func `a verdict on another server or credential than the one in force is dropped`()
        throws
    {
        let test = try TestUpstream()
        let upstream = test.services
        upstream.permissions.replace(with: TestUpstream.snapshot([Self.account]))
        let others = [
            CredentialCircuitsTests.account(version: 2),
            CredentialCircuitsTests.account(host: "new.kanzlei.example"),
        ]
        // Refused: the one in force is not closed by it.
        for other in others {
            #expect(try Self.tell(upstream, other, isAccepted: false) == 0)
        }
        #expect(!upstream.credentialBreaker.isSuspended(Self.account, .imap))
        // Accepted: the one in force is not opened by it. It rests for both protocols.
        #expect(try Self.tell(upstream, Self.account, isAccepted: false) == 2)
        for other in others {
            #expect(try Self.tell(upstream, other, isAccepted: true) == 2)
        }
        #expect(upstream.credentialBreaker.isSuspended(Self.account, .imap))
        #expect(try Self.tell(upstream, Self.account, isAccepted: true) == 0)
        #expect(!upstream.credentialBreaker.isSuspended(Self.account, .imap))
    }
}
