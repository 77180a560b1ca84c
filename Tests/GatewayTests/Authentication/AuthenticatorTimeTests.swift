import Access
import Dispatch
import NIOCore
import NIOEmbedded
import NIOPosix
import SASL
import Session
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// What a login costs in time that the test moves on: delays, what is remembered, and for how long.
@Suite(.serialized) struct AuthenticatorTimeTests {
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let time = ManualTime()
        let loop = NIOAsyncTestingEventLoop()
        let records = Records()
        let authenticator: Authenticator

        final class Records: Sendable {
            let all = Mutex<[AuditRecord]>([])
        }

        /// - Parameter keeps: makes the logins that outlast a restart; nil for none.
        init(keeps: ((StoreFixture, ManualTime) -> KeptLogins)? = nil) throws {
            self.fixture = try StoreFixture()
            self.authenticator = Authenticator(
                logger: self.fixture.log.logger,
                kept: keeps?(self.fixture, self.time),
                now: { [time = self.time] in time.now },
                record: { [records = self.records] record in
                    records.all.withLock { $0.append(record) }
                }
            )
            self.authenticator.start()
        }

        /// Starts a login, and waits until its check is over.
        func begin(
            _ login: String,
            _ password: String,
            from address: String = "192.0.2.7",
            service: CredentialService = .imap
        ) async throws -> Answers {
            let answers = try self.enter(login, password, from: address, service: service)
            try await self.settle()
            return answers
        }

        /// Starts a login.
        func enter(
            _ login: String,
            _ password: String,
            from address: String = "192.0.2.7",
            service: CredentialService = .imap
        ) throws -> Answers {
            let answers = Answers()
            let request = Authenticator.Request(
                credentials: Credentials(
                    name: Array(login.utf8),
                    password: Secret(Array(password.utf8))
                ),
                address: try SocketAddress(ipAddress: address, port: 1_000),
                service: service,
                actor: login,
                permissions: try self.fixture.store.load()
            )
            let handle = self.authenticator.authenticate(request, on: self.loop) { answer in
                answers.all.withLock { $0.append(answer) }
            }
            answers.wasRemembered = handle.marks.isEmpty
            return answers
        }

        /// Waits for the threads that check, and for what is due on the loop.
        func settle() async throws {
            // Once each thread waits for the others, none has anything else to do.
            let others = DispatchSemaphore(value: 0)
            let arrived = Mutex(0)
            await withCheckedContinuation { continuation in
                for _ in 0..<StoredPasswords().threads {
                    self.authenticator.pools[0].submit { _ in
                        let count = arrived.withLock { count in
                            count += 1
                            return count
                        }
                        guard count == StoredPasswords().threads else { return others.wait() }
                        for _ in 1..<StoredPasswords().threads { others.signal() }
                        continuation.resume()
                    }
                }
            }
            await self.loop.run()
        }

        func advance(by time: TimeAmount) async {
            self.time.advance(by: time)
            await self.loop.advanceTime(by: time)
        }
    }

    private final class Answers: @unchecked Sendable {
        let all = Mutex<[Authenticator.Answer]>([])
        /// Whether no check was made.
        var wasRemembered = false

        var isAccepted: Bool {
            self.all.withLock { answers in
                if case .accepted? = answers.first { answers.count == 1 } else { false }
            }
        }

        var isOverloaded: Bool {
            self.all.withLock { answers in
                if case .overloaded? = answers.first { answers.count == 1 } else { false }
            }
        }

        var isRefused: Bool {
            self.all.withLock { answers in
                if case .refused? = answers.first { answers.count == 1 } else { false }
            }
        }

        var isEmpty: Bool { self.all.withLock(\.isEmpty) }
    }

    @Test func `each failed login is answered later than the one before, and never early`()
        async throws
    {
        let bench = try Bench()
        for milliseconds in [250, 500, 1_000, 2_000] as [Int64] {
            let answers = try await bench.begin("anna@kanzlei.example", "wrong")
            await bench.advance(by: .milliseconds(milliseconds - 1))
            #expect(answers.isEmpty, "\(milliseconds)")
            await bench.advance(by: .milliseconds(1))
            #expect(answers.isRefused, "\(milliseconds)")
        }
        #expect(bench.records.all.withLock { $0.count } == 4)
    }

    @Test func `failures are forgotten after ten minutes without another`() async throws {
        let bench = try Bench()
        for _ in 0..<3 { _ = try await bench.begin("anna@kanzlei.example", "wrong") }
        await bench.advance(by: .minutes(10))
        let answers = try await bench.begin("anna@kanzlei.example", "wrong")
        await bench.advance(by: .milliseconds(250))
        #expect(answers.isRefused)
    }

    @Test func `a successful login does not reset the count of failures`() async throws {
        let bench = try Bench()
        for _ in 0..<3 { _ = try await bench.begin("anna@kanzlei.example", "wrong") }
        let right = try await bench.begin("anna@kanzlei.example", "pw-anna")
        #expect(right.isAccepted)
        let answers = try await bench.begin("anna@kanzlei.example", "wrong", from: "198.51.100.9")
        await bench.advance(by: .milliseconds(1_999))
        #expect(answers.isEmpty)
        await bench.advance(by: .milliseconds(1))
        #expect(answers.isRefused)
    }

    @Test func `a correct password is remembered for five minutes after its last use`()
        async throws
    {
        let bench = try Bench()
        #expect(try await !bench.begin("anna@kanzlei.example", "pw-anna").wasRemembered)
        for _ in 0..<3 {
            await bench.advance(by: Authenticator.memoryLifetime - .seconds(1))
            let answers = try await bench.begin("anna@kanzlei.example", "pw-anna")
            #expect(answers.wasRemembered && answers.isAccepted)
        }
        await bench.advance(by: Authenticator.memoryLifetime)
        let late = try await bench.begin("anna@kanzlei.example", "pw-anna")
        #expect(!late.wasRemembered && late.isAccepted)
    }

    @Test(arguments: ["wrong", "", "pw-ann", "pw-annaa", "PW-ANNA"])
    func `another password is checked although a correct one is remembered`(
        password: String
    ) async throws {
        let bench = try Bench()
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        let answers = try await bench.begin("anna@kanzlei.example", password)
        await bench.advance(by: .milliseconds(250))
        #expect(!answers.wasRemembered && answers.isRefused)
        // Nor does it forget the right one.
        #expect(try await bench.begin("anna@kanzlei.example", "pw-anna").wasRemembered)
    }

    @Test func `a changed password is not remembered`() async throws {
        let bench = try Bench()
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        try bench.fixture.store.setPassword("new", of: "anna@kanzlei.example", actor: "test")
        let old = try await bench.begin("anna@kanzlei.example", "pw-anna")
        await bench.advance(by: .milliseconds(250))
        #expect(!old.wasRemembered && old.isRefused)
        #expect(try await bench.begin("anna@kanzlei.example", "new").isAccepted)
    }

    @Test func `a disabled user is refused although the password is remembered`() async throws {
        let bench = try Bench()
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        try bench.fixture.store.setDisabled(true, login: "anna@kanzlei.example", actor: "test")
        let answers = try await bench.begin("anna@kanzlei.example", "pw-anna")
        await bench.advance(by: .milliseconds(250))
        #expect(!answers.wasRemembered && answers.isRefused)
        try bench.fixture.store.setDisabled(false, login: "anna@kanzlei.example", actor: "test")
        #expect(try await bench.begin("anna@kanzlei.example", "pw-anna").isAccepted)
    }

    @Test(arguments: [
        ("anna@kanzlei.example", true), ("ANNA@KANZLEI.EXAMPLE", true),
        ("anna@kanzlei.example/anna@kanzlei.example", true),
        ("anna@kanzlei.example/bob@kanzlei.example", false),
        ("anna@kanzlei.example/nobody@kanzlei.example", false), ("anna@kanzlei.example/", false),
        ("nobody@kanzlei.example", false), ("anna", false), ("", false),
    ])
    func `a login opens only an account that the user may see`(
        login: String,
        isAccepted: Bool
    ) async throws {
        let bench = try Bench()
        let answers = try await bench.begin(login, "pw-anna")
        if isAccepted {
            #expect(answers.isAccepted)
        } else {
            #expect(answers.isEmpty)
            await bench.advance(by: .milliseconds(250))
            #expect(answers.isRefused)
            #expect(bench.records.all.withLock { $0.map(\.actor) } == [login])
        }
    }

    @Test(arguments: [CredentialService.imap, .submission], [SendRight.none, .as, .onBehalf])
    func `a mailbox that the user may only send from is accepted for submission only`(
        service: CredentialService,
        send: SendRight
    ) async throws {
        let bench = try Bench()
        if send != .none { try bench.fixture.grant("bob", to: "anna", [], send: send) }
        let answers = try await bench.begin(
            "anna@kanzlei.example/bob@kanzlei.example",
            "pw-anna",
            service: service
        )
        #expect(answers.isAccepted == (service == .submission && send != .none))
    }

    @Test func `a network stays known for a week after its last successful login`() async throws {
        let bench = try Bench()
        let network = Network(text: "192.0.2.7")
        #expect(!bench.authenticator.isKnown(network))
        _ = try await bench.begin("anna@kanzlei.example", "wrong")
        #expect(!bench.authenticator.isKnown(network))
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        #expect(bench.authenticator.isKnown(network))
        #expect(!bench.authenticator.isKnown(Network(text: "192.0.2.8")))
        await bench.advance(by: KnownLogins.lifetime - .seconds(1))
        #expect(bench.authenticator.isKnown(network))
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        await bench.advance(by: KnownLogins.lifetime - .seconds(1))
        #expect(bench.authenticator.isKnown(network))
        await bench.advance(by: .seconds(1))
        #expect(!bench.authenticator.isKnown(network))
    }

    @Test func `an overload is answered to each displaced login, and logged once a minute`()
        async throws
    {
        let bench = try Bench()
        let snapshot = try bench.fixture.store.load()
        func turnAway() {
            let login = bench.authenticator.pending(
                Authenticator.Request(
                    credentials: Credentials(name: [], password: Secret([])),
                    address: nil,
                    service: .imap,
                    actor: "x",
                    permissions: snapshot
                ),
                user: nil,
                loop: bench.loop
            ) { _ in }
            bench.authenticator.turnAway(login)
        }
        let line = "too many logins wait for a password check: clients are told to try again"
        for _ in 0..<5 { turnAway() }
        #expect(bench.fixture.log.count(line) == 1)
        await bench.advance(by: Authenticator.overloadPeriod - .seconds(1))
        turnAway()
        #expect(bench.fixture.log.count(line) == 1)
        await bench.advance(by: .seconds(1))
        turnAway()
        #expect(bench.fixture.log.count(line) == 2)
        // Those that were not told one by one.
        #expect(bench.fixture.log.all.last?.contains("times=6") == true)
        let records = bench.records.all.withLock { $0 }
        #expect(records.count == 7 && records.allSatisfy { $0.outcome == .failed })
    }

    /// Keeps the threads that check passwords until the semaphore is signalled for each.
    private static func occupyThreads(_ bench: Bench) -> DispatchSemaphore {
        let end = DispatchSemaphore(value: 0)
        for _ in 0..<StoredPasswords().threads {
            bench.authenticator.pools[0].submit { _ in end.wait() }
        }
        return end
    }

    @Test(arguments: [119, 121])
    func `a login waits two minutes for its check, and is then told of the overload`(
        seconds: Int64
    ) async throws {
        let bench = try Bench()
        let end = Self.occupyThreads(bench)
        let first = try bench.enter("anna@kanzlei.example", "pw-anna")
        let wrong = try bench.enter("bob@kanzlei.example", "wrong")
        await bench.advance(by: .seconds(seconds))
        #expect(first.isEmpty && wrong.isEmpty)
        for _ in 0..<StoredPasswords().threads { end.signal() }
        try await bench.settle()
        await bench.advance(by: .milliseconds(250))
        let isLate = CheckQueue.patience < .seconds(seconds)
        #expect(first.isAccepted == !isLate && first.isOverloaded == isLate)
        #expect(wrong.isRefused == !isLate && wrong.isOverloaded == isLate)
        // A password that was not checked is no failed guess.
        let outcomes = bench.records.all.withLock { $0.map(\.outcome) }
        #expect(outcomes == (isLate ? [.failed, .failed] : [.refused]))
        let slot = LoginFailures.Slot.login(Array("bob@kanzlei.example".utf8))
        let failures = bench.authenticator.memory.withLock {
            $0.failures.count(of: slot, at: bench.time.now)
        }
        #expect(failures == (isLate ? 0 : 1))
    }

    @Test func `a password that was right at another network meanwhile costs no second check`()
        async throws
    {
        let bench = try Bench()
        let end = Self.occupyThreads(bench)
        let first = try bench.enter("anna@kanzlei.example", "pw-anna", from: "192.0.2.7")
        let second = try bench.enter("anna@kanzlei.example", "pw-anna", from: "198.51.100.9")
        #expect(bench.authenticator.waitingChecks == 2)
        for _ in 0..<StoredPasswords().threads { end.signal() }
        try await bench.settle()
        try await bench.settle()
        #expect(first.isAccepted && second.isAccepted)
        #expect(bench.authenticator.isKnown(Network(text: "198.51.100.9")))
    }

    @Test func `equal guesses that share a check are counted one by one`() async throws {
        let bench = try Bench()
        let end = Self.occupyThreads(bench)
        let guesses = try (0..<3).map { _ in try bench.enter("anna@kanzlei.example", "wrong") }
        #expect(bench.authenticator.waitingChecks == 1)
        for _ in 0..<StoredPasswords().threads { end.signal() }
        try await bench.settle()
        await bench.advance(by: .seconds(1))
        #expect(guesses.map(\.isRefused) == [true, true, true])
        #expect(bench.records.all.withLock { $0.count } == 3)
        let next = try await bench.begin("anna@kanzlei.example", "wrong")
        await bench.advance(by: .milliseconds(1_999))
        #expect(next.isEmpty)
        await bench.advance(by: .milliseconds(1))
        #expect(next.isRefused)
    }

    @Test(arguments: [64, 65, 5_000])
    func `a long password is right, and another of the same beginning is not`(
        count: Int
    )
        async throws
    {
        let bench = try Bench()
        let password = String(repeating: "x", count: count)
        try bench.fixture.store.setPassword(password, of: "anna@kanzlei.example", actor: "test")
        #expect(try await bench.begin("anna@kanzlei.example", password).isAccepted)
        let again = try await bench.begin("anna@kanzlei.example", password)
        #expect(again.isAccepted && again.wasRemembered)
        let other = try await bench.begin("anna@kanzlei.example", password + "x")
        await bench.advance(by: .milliseconds(250))
        #expect(other.isRefused)
    }

    // MARK: - Kept logins

    private static func kept(_ fixture: StoreFixture, _ time: ManualTime) -> KeptLogins {
        KeptLogins(
            file: KeptLoginsFile(path: fixture.folder.path("gatepost.logins")),
            key: fixture.masterKey.keptLoginsKey,
            logger: fixture.log.logger,
            now: { time.moment }
        )
    }

    /// Ends the gateway's logins and begins them anew, with the store as it is.
    private static func restart(_ bench: Bench) throws -> Authenticator {
        bench.authenticator.kept?.save()
        let kept = self.kept(bench.fixture, bench.time)
        kept.load()
        let authenticator = Authenticator(
            logger: bench.fixture.log.logger,
            kept: kept,
            now: { [time = bench.time] in time.now },
            record: { _ in }
        )
        authenticator.start()
        return authenticator
    }

    /// Whether a login needs no check. It is cancelled if it does.
    private static func isKept(
        _ password: String,
        of login: String = "anna@kanzlei.example",
        _ authenticator: Authenticator,
        _ bench: Bench
    ) throws -> Bool {
        let request = Authenticator.Request(
            credentials: Credentials(
                name: Array(login.utf8),
                password: Secret(Array(password.utf8))
            ),
            address: nil,
            service: .imap,
            actor: login,
            permissions: try bench.fixture.store.load()
        )
        let handle = authenticator.authenticate(request, on: bench.loop) { _ in }
        authenticator.cancel(handle)
        return handle.marks.isEmpty
    }

    @Test func `a login that was checked needs no check after a restart, for a day`() async throws {
        let bench = try Bench(keeps: Self.kept)
        #expect(try await !bench.begin("anna@kanzlei.example", "pw-anna").wasRemembered)
        _ = try await bench.begin("bob@kanzlei.example", "wrong")
        await bench.advance(by: .hours(23))
        let second = try Self.restart(bench)
        #expect(try Self.isKept("pw-anna", second, bench))
        #expect(try Self.isKept("pw-anna", of: "ANNA@kanzlei.example", second, bench))
        for password in ["wrong", "", "pw-ann", "pw-annaa", "pw-bob"] {
            #expect(try !Self.isKept(password, second, bench), "\(password)")
        }
        for login in ["bob@kanzlei.example", "nobody@kanzlei.example"] {
            #expect(try !Self.isKept("pw-anna", of: login, second, bench))
            #expect(try !Self.isKept("wrong", of: login, second, bench))
        }
        try await second.stop()
        // A use does not make it last longer.
        await bench.advance(by: .hours(1))
        let third = try Self.restart(bench)
        #expect(try !Self.isKept("pw-anna", third, bench))
        try await third.stop()
    }

    @Test func `a password that is used all day is checked once a day, and kept on`() async throws {
        let bench = try Bench(keeps: Self.kept)
        #expect(try await !bench.begin("anna@kanzlei.example", "pw-anna").wasRemembered)
        // Its last use was a moment ago when the day ends.
        for minutes in [23 * 60 + 57, 2] as [Int64] {
            await bench.advance(by: .minutes(minutes))
            let answers = try await bench.begin("anna@kanzlei.example", "pw-anna")
            #expect(answers.wasRemembered && answers.isAccepted)
        }
        await bench.advance(by: .minutes(1))
        let answers = try await bench.begin("anna@kanzlei.example", "pw-anna")
        #expect(!answers.wasRemembered && answers.isAccepted)
        await bench.advance(by: .hours(23))
        let second = try Self.restart(bench)
        #expect(try Self.isKept("pw-anna", second, bench))
        try await second.stop()
    }

    @Test(arguments: ["password", "same password", "disabled", "removed"])
    func `a kept login of a user who was changed is void`(change: String) async throws {
        let bench = try Bench(keeps: Self.kept)
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        let store = bench.fixture.store
        let anna = "anna@kanzlei.example"
        switch change {
        case "password": try store.setPassword("new", of: anna, actor: "test")
        case "same password": try store.setPassword("pw-anna", of: anna, actor: "test")
        case "disabled": try store.setDisabled(true, login: anna, actor: "test")
        default:
            try store.removeAccount(anna, actor: "test")
            try store.removeUser(anna, actor: "test")
            try store.addUser(NewUser(anna, password: "pw-anna"), actor: "test")
        }
        let second = try Self.restart(bench)
        #expect(try !Self.isKept("pw-anna", second, bench))
        #expect(try !Self.isKept("new", second, bench))
        try await second.stop()
    }

    @Test func `a kept login does not open an account that the user may not see`() async throws {
        let bench = try Bench(keeps: Self.kept)
        _ = try await bench.begin("anna@kanzlei.example", "pw-anna")
        let second = try Self.restart(bench)
        let login = "anna@kanzlei.example/bob@kanzlei.example"
        #expect(try !Self.isKept("pw-anna", of: login, second, bench))
        try bench.fixture.grant("bob", to: "anna")
        #expect(try Self.isKept("pw-anna", of: login, second, bench))
        try await second.stop()
    }
}
