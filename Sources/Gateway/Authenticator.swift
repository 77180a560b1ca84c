import Access
import Crypto
import IMAP
import NIOCore
import NIOPosix
import Session
import Store
import Synchronization

/// Checks passwords: off the event loops, with bounded concurrency, and slowly for who guesses.
///
/// A password that was right is remembered for some minutes as a keyed hash in memory, so that a
/// phone that reconnects every minute costs nothing; it counts only for the password's version.
/// An unknown login costs the same time as a known one.
final class Authenticator: Sendable {
    enum Answer: Sendable {
        case accepted(UserID, account: AccountID?)
        case refused
        case unavailable
    }

    /// Each check needs 32 MiB and 0.1 s of a core; more at once would starve the event loops.
    private static let threads = 2
    /// Checks that wait, each address's in turn; beyond it one of the address that has most of them is
    /// told to come back.
    private static let maximumWaiting = 200
    private static let memoryLifetime = TimeAmount.minutes(5)
    /// Logins remembered and failures counted at most; beyond it a tenth goes, the oldest and those
    /// that failed least.
    private static let maximumEntries = 10_000
    /// The longest delay of an answer to somebody who guesses.
    private static let maximumDelay = TimeAmount.seconds(8)
    /// A failure is forgotten after this long without another.
    private static let failureLifetime = TimeAmount.minutes(10)

    private struct Remembered {
        var mark: HashedAuthenticationCode<SHA256>
        var version: Int64
        var until: NIODeadline
    }

    private struct Failures {
        var count: Int
        var until: NIODeadline
    }

    /// One that waits for a check to end.
    private struct Waiter {
        var accepted: Answer
        /// Where its failure is counted.
        var slots: [String]
        var delay: TimeAmount
        var loop: any EventLoop
        var answer: @Sendable (Answer) -> Void

        /// There is no time for it now.
        func refuse() {
            let answer = self.answer
            self.loop.execute { answer(.unavailable) }
        }

        func finish(isRight: Bool) {
            let (accepted, answer) = (self.accepted, self.answer)
            if isRight {
                self.loop.execute { answer(accepted) }
            } else {
                self.loop.scheduleTask(in: self.delay) { answer(.refused) }
            }
        }
    }

    private struct Memory {
        var remembered: [UserID: Remembered] = [:]
        /// Checks that run or wait for a thread, by login, password and the password's version.
        var checks: [HashedAuthenticationCode<SHA256>: [Waiter]] = [:]
        var failures: [String: Failures] = [:]
        /// Logins that wait, with those that joined another's check.
        var waiting = 0
        var queue = FairQueue<String, Check>()
    }

    /// One that waits for a thread.
    private struct Check {
        var mark: HashedAuthenticationCode<SHA256>
        /// - Returns: whether the password is right.
        var run: @Sendable () -> Bool
    }

    private let pool = NIOThreadPool(numberOfThreads: Authenticator.threads)
    private let key = SymmetricKey(size: .bits256)
    private let memory = Mutex(Memory())

    func start() {
        self.pool.start()
    }

    func stop() async throws {
        try await self.pool.shutdownGracefully()
    }

    /// Answers on `loop`, exactly once.
    func authenticate(
        _ credentials: Credentials,
        from address: SocketAddress?,
        permissions: Published,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (Answer) -> Void
    ) {
        let access = permissions.access
        let user = Address(credentials.login).flatMap { access.user(login: $0) }
        let record = user.flatMap { permissions.passwords[$0.id] }
        let usable = user.map { !$0.isDisabled } ?? false
        let slots = [
            "l" + String(decoding: credentials.login.prefix(256), as: UTF8.self),
            "a" + (address?.ipAddress ?? ""),
        ]
        let accepted = user.map { Self.accept(credentials, $0.id, access) } ?? .refused
        if usable, let user, let record,
            self.remembers(user.id, credentials.password.value, record.version)
        {
            return loop.execute { answer(accepted) }
        }
        let password = credentials.password.value
        let check = self.check(credentials, version: record?.version)
        let waiter = Waiter(
            accepted: accepted,
            slots: slots,
            delay: self.delay(slots),
            loop: loop,
            answer: answer
        )
        let entry = self.enter(waiter, check, from: address?.ipAddress ?? "") { [self] in
            let isRight = (record?.hash ?? .dummy).verify(password) && usable && record != nil
            if isRight, let user, let record { self.remember(user.id, password, record.version) }
            return isRight
        }
        switch entry {
        case .refused:
            loop.execute { answer(.unavailable) }
        case .joined:
            break
        case .entered:
            self.pool.submit { [self] _ in self.runNext() }
        }
    }

    /// On one of the threads.
    private func runNext() {
        // There is none where it had to make room.
        guard let check = self.memory.withLock({ $0.queue.next() }) else { return }
        let isRight = check.run()
        for waiter in self.leave(check.mark) {
            if !isRight { self.countFailure(waiter.slots) }
            waiter.finish(isRight: isRight)
        }
    }

    /// What two logins must have in common to be checked as one: a mail client opens several
    /// connections at once. It says nothing about whether the login is known.
    private func check(
        _ credentials: Credentials,
        version: Int64?
    ) -> HashedAuthenticationCode<SHA256> {
        var text = Array("\(version ?? 0) \(credentials.login.count) ".utf8)
        text += credentials.login
        text += credentials.password.value
        return self.mark(text)
    }

    /// The account in `LOGIN/ACCOUNT`; one that does not exist refuses the login, like one on which the
    /// user has no right, once the password has been checked.
    private static func accept(
        _ credentials: Credentials,
        _ user: UserID,
        _ access: Access.Snapshot
    ) -> Answer {
        guard let name = credentials.account else { return .accepted(user, account: nil) }
        guard let address = Address(name), let account = access.account(address: address) else {
            return .refused
        }
        let known = access.access(of: user, to: account.id, at: .current)
        guard known.isVisible || known.send != .none else { return .refused }
        return .accepted(user, account: account.id)
    }

    // MARK: - Memory

    private func mark(_ password: [UInt8]) -> HashedAuthenticationCode<SHA256> {
        HMAC<SHA256>.authenticationCode(for: password, using: self.key)
    }

    private func remembers(_ user: UserID, _ password: [UInt8], _ version: Int64) -> Bool {
        let remembered = self.memory.withLock { $0.remembered[user] }
        guard let remembered, remembered.version == version, remembered.until > .now() else {
            return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(
            remembered.mark,
            authenticating: password,
            using: self.key
        )
    }

    private func remember(_ user: UserID, _ password: [UInt8], _ version: Int64) {
        let mark = self.mark(password)
        self.memory.withLock { memory in
            if memory.remembered.count >= Self.maximumEntries {
                Self.thin(&memory.remembered) { $0.until < $1.until }
            }
            memory.remembered[user] = Remembered(
                mark: mark,
                version: version,
                until: .now() + Self.memoryLifetime
            )
        }
    }

    // MARK: - Slowing down

    private enum Entry {
        case entered
        /// The same login with the same password is being checked: its answer is ours.
        case joined
        case refused
    }

    private func enter(
        _ waiter: Waiter,
        _ mark: HashedAuthenticationCode<SHA256>,
        from address: String,
        _ run: @escaping @Sendable () -> Bool
    ) -> Entry {
        self.memory.withLock { memory in
            if memory.waiting >= Self.maximumWaiting {
                guard let other = memory.queue.makeRoom(for: address) else { return .refused }
                let refused = memory.checks.removeValue(forKey: other.mark) ?? []
                memory.waiting -= refused.count
                for waiter in refused { waiter.refuse() }
            }
            memory.waiting += 1
            if memory.checks[mark] != nil {
                memory.checks[mark]?.append(waiter)
                return .joined
            }
            memory.checks[mark] = [waiter]
            memory.queue.append(Check(mark: mark, run: run), from: address)
            return .entered
        }
    }

    private func leave(_ check: HashedAuthenticationCode<SHA256>) -> [Waiter] {
        self.memory.withLock { memory in
            let waiters = memory.checks.removeValue(forKey: check) ?? []
            memory.waiting -= waiters.count
            return waiters
        }
    }

    /// A quarter of a second, doubled with each failure of the login or of the address.
    private func delay(_ slots: [String]) -> TimeAmount {
        let now = NIODeadline.now()
        let count = self.memory.withLock { memory in
            slots.compactMap { memory.failures[$0] }.filter { $0.until > now }.map(\.count).max()
        }
        let doublings = min(count ?? 0, 5)
        return min(.milliseconds(250 << Int64(doublings)), Self.maximumDelay)
    }

    /// Takes away the tenth of the entries that counts least.
    private static func thin<Key, Entry>(
        _ entries: inout [Key: Entry],
        _ countsLess: (Entry, Entry) -> Bool
    ) {
        let all = entries.sorted { countsLess($0.value, $1.value) }
        for (key, _) in all.prefix(all.count / 10) { entries[key] = nil }
    }

    private func countFailure(_ slots: [String]) {
        let now = NIODeadline.now()
        self.memory.withLock { memory in
            if memory.failures.count >= Self.maximumEntries {
                memory.failures = memory.failures.filter { $0.value.until > now }
            }
            if memory.failures.count >= Self.maximumEntries {
                Self.thin(&memory.failures) { ($0.count, $0.until) < ($1.count, $1.until) }
            }
            for slot in slots {
                let known = memory.failures[slot].flatMap { $0.until > now ? $0 : nil }
                memory.failures[slot] = Failures(
                    count: (known?.count ?? 0) + 1,
                    until: now + Self.failureLifetime
                )
            }
        }
    }
}
