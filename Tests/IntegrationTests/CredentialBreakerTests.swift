import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
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
@Suite struct CredentialBreakerTests {
    private static let account = CredentialCircuitsTests.account()

    private static func breaker(
        waitingTime: TimeAmount = .minutes(5),
        inForce: @escaping @Sendable (AccountID) -> UpstreamAccount? = { _ in nil }
    ) -> CredentialBreaker {
        CredentialBreaker(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            waitingTime: waitingTime,
            inForce: inForce
        )
    }

    @Test func `a password that changes makes four failures of thirty logins under way`()
        async throws
    {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        breaker.accepted(Self.account, service: .imap)
        let attempts = (0..<30).map { _ in breaker.attempt(Self.account, .imap, on: loop) }
        let tried = try await withThrowingTaskGroup(of: Bool.self) { group in
            for attempt in attempts {
                group.addTask {
                    do {
                        let attempt = try await attempt.get()
                        try await Task.sleep(for: .milliseconds(50))
                        attempt.refused()
                        return true
                    } catch is CredentialBreaker.Suspended {
                        return false
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(tried == 4)
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

    /// How long that takes is computed in ``CredentialCircuitsTests``, without a machine that may be busy.
    @Test func `two hundred logins are let in, four at a time`() async throws {
        let breaker = Self.breaker()
        let group = MultiThreadedEventLoopGroup.singleton
        let gauge = Gauge()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<200 {
                let attempt = breaker.attempt(Self.account, .imap, on: group.next())
                tasks.addTask {
                    let attempt = try await attempt.get()
                    gauge.began()
                    try await Task.sleep(for: .milliseconds(10))
                    gauge.ended()
                    attempt.accepted()
                }
            }
            try await tasks.waitForAll()
        }
        #expect(gauge.most == 4)
    }

    @Test func `who waits with an old credential goes when another one is in force`() async throws {
        let current = Mutex(Self.account)
        let breaker = Self.breaker { _ in current.withLock { $0 } }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let first = try await breaker.attempt(Self.account, .imap, on: loop).get()
        let waiting = breaker.attempt(Self.account, .imap, on: loop)
        let changed = CredentialCircuitsTests.account(version: 2)
        current.withLock { $0 = changed }
        let attempt = try await breaker.attempt(changed, .imap, on: loop).get()
        await #expect(throws: CredentialBreaker.Outdated.self) { _ = try await waiting.get() }
        await #expect(throws: CredentialBreaker.Outdated.self) {
            _ = try await breaker.attempt(Self.account, .imap, on: loop).get()
        }
        // The old server's late refusal is not the new one's.
        first.refused()
        attempt.accepted()
        try await breaker.attempt(changed, .imap, on: loop).get().accepted()
    }

    @Test func `a server that ends logins without an answer is asked once a second, not each time`()
        async throws
    {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var tried = 0
        var isSuspended = false
        let start = NIODeadline.now()
        for _ in 0..<50 {
            let attempt = try? await breaker.attempt(Self.account, .imap, on: loop).get()
            attempt?.credentialSent()
            tried += attempt == nil ? 0 : 1
            isSuspended = isSuspended || breaker.isSuspended(Self.account, .imap)
        }
        // One more for each second that this took on a busy machine.
        let seconds = (NIODeadline.now() - start).nanoseconds / 1_000_000_000
        #expect(tried >= 2 && tried <= 2 + seconds)
        #expect(isSuspended)
        #expect(!breaker.isSuspended(Self.account, .submission))
        #expect(breaker.suspended([Self.account.id: Self.account]) == [])
        breaker.accepted(Self.account, service: .imap)
        #expect(!breaker.isSuspended(Self.account, .imap))
    }

    @Test func `a server that is not reached, or is busy, is asked each time`() async throws {
        let breaker = Self.breaker()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        for number in 0..<50 {
            let attempt = try await breaker.attempt(Self.account, .imap, on: loop).get()
            if number % 2 == 0 {
                attempt.credentialSent()
                attempt.answeredWithoutVerdict()
            }
        }
        #expect(!breaker.isSuspended(Self.account, .imap))
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
        breaker.refused(Self.account, service: .submission)
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
            _ = circuits.accepted(account, service: .imap, at: now)
        }
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now)
        circuits.keep(at: now) { _ in true }
        #expect(circuits.resting == [Self.account.id])
        _ = circuits.accepted(Self.account, service: .imap, at: now)
        #expect(circuits.resting == [])
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now)
        circuits.keep(at: now + .hours(2)) { _ in true }
        #expect(circuits.resting == [])
        _ = circuits.refused(Self.account, service: .imap, tolerated: 0, at: now + .hours(2))
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
        breaker.accepted(Self.account, service: .imap)
        try await breaker.attempt(Self.account, .submission, on: loop).get().accepted()
    }

    // MARK: - What commands tell

    /// A gateway that has this account in force.
    private static func gateway(_ account: UpstreamAccount) async throws -> GatewayContext {
        let gateway = try await LoginDeadlineTests.gateway()
        let current = gateway.permissions.current
        gateway.permissions.replace(
            with: StoreSnapshot(
                access: current.access,
                endpoints: [account.id: account],
                passwords: current.passwords
            )
        )
        return gateway
    }

    /// - Returns: how many credentials rest after the gateway was told.
    private static func tell(
        _ gateway: GatewayContext,
        _ account: UpstreamAccount,
        isAccepted: Bool
    ) throws -> Int {
        let verdict = ControlMessage.CredentialRequest.Verdict(
            of: account,
            .imap,
            isAccepted: isAccepted
        )
        // As it goes over the socket.
        let request = ControlMessage.CredentialRequest(verdict: verdict)
        let line = try JSONEncoder().encode(request)
        return gateway.upstream.answer(
            try JSONDecoder().decode(ControlMessage.CredentialRequest.self, from: line)
        ).count
    }

    @Test func `a verdict on another server or credential than the one in force is dropped`()
        async throws
    {
        let gateway = try await Self.gateway(Self.account)
        defer { LoginDeadlineTests.removeStore(gateway) }
        let others = [
            CredentialCircuitsTests.account(version: 2),
            CredentialCircuitsTests.account(host: "new.kanzlei.example"),
        ]
        // Refused: the one in force is not closed by it.
        for other in others {
            #expect(try Self.tell(gateway, other, isAccepted: false) == 0)
        }
        #expect(!gateway.upstream.credentialBreaker.isSuspended(Self.account, .imap))
        // Accepted: the one in force is not opened by it. It rests for both protocols.
        #expect(try Self.tell(gateway, Self.account, isAccepted: false) == 2)
        for other in others {
            #expect(try Self.tell(gateway, other, isAccepted: true) == 2)
        }
        #expect(gateway.upstream.credentialBreaker.isSuspended(Self.account, .imap))
        #expect(try Self.tell(gateway, Self.account, isAccepted: true) == 0)
        #expect(!gateway.upstream.credentialBreaker.isSuspended(Self.account, .imap))
    }
}
