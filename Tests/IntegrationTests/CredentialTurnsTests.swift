import Access
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// Whose login is next where more wait than may be under way, and what a server owes that has a credential.
@Suite(.timeLimit(.minutes(2))) struct CredentialTurnsTests {
    private static let account = CredentialCircuitsTests.account()
    private static let loop = MultiThreadedEventLoopGroup.singleton.next()

    private static func breaker(waitingTime: TimeAmount = .minutes(5)) -> CredentialBreaker {
        CredentialBreaker(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            waitingTime: waitingTime
        )
    }

    /// Lets logins ask in this order, each of which succeeds.
    /// - Returns: the users in the order in which they were let in.
    private static func turns(_ users: [UserID?]) async throws -> [UserID?] {
        let breaker = Self.breaker()
        breaker.accepted(Self.account, service: .imap)
        let order = Mutex<[UserID?]>([])
        // No login ends before all of them have asked.
        let logins = try await Self.loop.submit {
            users.map { user in
                breaker.attempt(Self.account, service: .imap, of: user, on: Self.loop).map {
                    attempt in
                    order.withLock { $0.append(user) }
                    Self.loop.execute { attempt.accepted() }
                }
            }
        }.get()
        for login in logins { try await login.get() }
        return order.withLock { $0 }
    }

    @Test func `an owner waits for one login of a delegate with fifty connections`() async throws {
        let (delegate, owner) = (UserID(1), UserID(2))
        let order = try await Self.turns(Array(repeating: delegate, count: 50) + [owner])
        #expect(order.count == 51)
        // Four are under way at once.
        #expect(order.firstIndex(of: owner) == 5)
    }

    @Test func `an owner waits for one login of each other user, and one of the gateway`()
        async throws
    {
        let owner = UserID(9)
        var users: [UserID?] = Array(repeating: UserID(1), count: 50)
        for user in [UserID(2), UserID(3), nil] {
            users += Array(repeating: user, count: 10)
        }
        let order = try await Self.turns(users + [owner, owner])
        let first = try #require(order.firstIndex(of: owner))
        #expect(Set(order[4..<first]) == [UserID(1), UserID(2), UserID(3), nil])
        #expect(first == 8)
        #expect(order.lastIndex(of: owner) == 13)
    }

    @Test func `users take turns at the connections for sending of a mailbox at Exchange`()
        async throws
    {
        let slots = SendingSlots()
        let account = Self.account.id
        let (delegate, owner) = (UserID(1), UserID(2))
        let order = Mutex<[UserID]>([])
        let connections = try await Self.loop.submit {
            (Array(repeating: delegate, count: 20) + [owner]).map { user in
                slots.acquire(account, for: user, on: Self.loop).map {
                    order.withLock { $0.append(user) }
                    Self.loop.execute { slots.release(account) }
                }
            }
        }.get()
        for connection in connections { try await connection.get() }
        // Three are in use at once.
        #expect(order.withLock { $0.firstIndex(of: owner) } == 4)
    }

    @Test func `a login that waited too long takes no turn`() async throws {
        let breaker = Self.breaker(waitingTime: .milliseconds(20))
        let first = try await breaker.attempt(Self.account, .imap, on: Self.loop).get()
        for _ in 0..<3 {
            await #expect(throws: CredentialBreaker.WaitedTooLong.self) {
                _ = try await breaker.attempt(
                    Self.account,
                    service: .imap,
                    of: UserID(1),
                    on: Self.loop
                )
                .get()
            }
        }
        let next = breaker.attempt(Self.account, service: .imap, of: UserID(2), on: Self.loop)
        first.accepted()
        try await next.get().accepted()
    }

    @Test func `the time for an answer runs from the credential on`() async throws {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let attempt = try await Self.breaker().attempt(Self.account, .imap, on: Self.loop).get()
        #expect(attempt.answerDue(after: .seconds(15)) == nil)
        attempt.credentialSent(at: start)
        attempt.credentialSent(at: start + .seconds(3))
        #expect(attempt.answerDue(after: .seconds(15)) == start + .seconds(15))
        attempt.answeredWithoutVerdict()
        #expect(attempt.answerDue(after: .seconds(15)) == nil)
    }

    @Test func `clients are told why no login is made`() async throws {
        let breaker = Self.breaker()
        for _ in 0..<2 {
            let attempt = try await breaker.attempt(Self.account, .imap, on: Self.loop).get()
            attempt.credentialSent()
        }
        await #expect(throws: CredentialBreaker.Paused.self) {
            _ = try await breaker.attempt(Self.account, .imap, on: Self.loop).get()
        }
        breaker.refused(Self.account, service: .imap)
        await #expect(throws: CredentialBreaker.Suspended.self) {
            _ = try await breaker.attempt(Self.account, .imap, on: Self.loop).get()
        }
    }
}
