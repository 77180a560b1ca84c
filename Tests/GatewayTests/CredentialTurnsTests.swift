import Access
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// Whose login is next where more wait than may be under way, and what a server owes that has a credential.
@Suite(.timeLimit(.minutes(20))) struct CredentialTurnsTests {
    private static let account = CredentialCircuitsTests.account()

    private static func breaker(
        on loop: EmbeddedEventLoop,
        waitingTime: TimeAmount = .minutes(5)
    ) -> CredentialBreaker {
        CredentialBreaker(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            waitingTime: waitingTime,
            now: { loop.now }
        )
    }

    /// Lets logins ask in this order, each of which succeeds.
    /// - Returns: the users in the order in which they were let in.
    private static func turns(_ users: [UserID?]) throws -> [UserID?] {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        breaker.accepted(Self.account, service: .imap)
        let order = Mutex<[UserID?]>([])
        // No login ends before all of them have asked.
        let logins = users.map { user in
            breaker.attempt(Self.account, service: .imap, of: user, on: loop).map { attempt in
                order.withLock { $0.append(user) }
                loop.execute { attempt.accepted() }
            }
        }
        for login in logins { try loop.value(of: login) }
        return order.withLock { $0 }
    }

    @Test func `an owner waits for one login of a delegate with fifty connections`() throws {
        let (delegate, owner) = (UserID(1), UserID(2))
        let order = try Self.turns(Array(repeating: delegate, count: 50) + [owner])
        #expect(order.count == 51)
        // Four are under way at once.
        #expect(order.firstIndex(of: owner) == 5)
    }

    @Test func `an owner waits for at most one login of each other user and one of the gateway`()
        throws
    {
        let owner = UserID(9)
        var users: [UserID?] = Array(repeating: UserID(1), count: 50)
        for user in [UserID(2), UserID(3), nil] {
            users += Array(repeating: user, count: 10)
        }
        let order = try Self.turns(users + [owner, owner])
        let first = try #require(order.firstIndex(of: owner))
        #expect(Set(order[4..<first]) == [UserID(1), UserID(2), UserID(3), nil])
        #expect(first == 8)
        #expect(order.lastIndex(of: owner) == 13)
    }

    @Test func `users take turns at the submission connections of an Exchange mailbox`()
        throws
    {
        let slots = SendingSlots()
        let account = Self.account.id
        let (delegate, owner) = (UserID(1), UserID(2))
        let order = Mutex<[UserID]>([])
        let loop = EmbeddedEventLoop()
        let connections = (Array(repeating: delegate, count: 20) + [owner]).map { user in
            slots.acquire(account, for: user, on: loop).map {
                order.withLock { $0.append(user) }
                loop.execute { slots.release(account) }
            }
        }
        for connection in connections { try loop.value(of: connection) }
        // Three are in use at once.
        #expect(order.withLock { $0.firstIndex(of: owner) } == 4)
    }

    @Test func `a login that waited too long takes no turn`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop, waitingTime: .seconds(20))
        let first = try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        for _ in 0..<3 {
            let waiting = breaker.attempt(
                Self.account,
                service: .imap,
                of: UserID(1),
                on: loop
            )
            loop.advanceTime(by: .seconds(20))
            #expect(throws: CredentialBreaker.WaitedTooLong.self) { try loop.value(of: waiting) }
        }
        let next = breaker.attempt(Self.account, service: .imap, of: UserID(2), on: loop)
        first.accepted()
        try loop.value(of: next).accepted()
    }

    @Test func `the time for an answer begins when the credential is sent`() throws {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let loop = EmbeddedEventLoop()
        let attempt = try loop.value(
            of: Self.breaker(on: loop).attempt(Self.account, .imap, on: loop)
        )
        #expect(attempt.answerDue(after: .seconds(15)) == nil)
        attempt.credentialSent(at: start)
        attempt.credentialSent(at: start + .seconds(3))
        #expect(attempt.answerDue(after: .seconds(15)) == start + .seconds(15))
        attempt.answeredWithoutVerdict()
        #expect(attempt.answerDue(after: .seconds(15)) == nil)
    }

    @Test func `clients are told why a login is denied`() throws {
        let loop = EmbeddedEventLoop()
        let breaker = Self.breaker(on: loop)
        for _ in 0..<2 {
            let attempt = try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
            attempt.credentialSent(at: loop.now)
        }
        #expect(throws: CredentialBreaker.Paused.self) {
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        }
        breaker.refused(Self.account, service: .imap)
        #expect(throws: CredentialBreaker.Suspended.self) {
            try loop.value(of: breaker.attempt(Self.account, .imap, on: loop))
        }
    }
}
