import Access
import Cryptography
import Logging
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Synchronization

/// Checks passwords on background threads with bounded concurrency, and delays each refusal.
///
/// Logins wait for a thread in turns (``CheckQueue``), as long as mail programs wait for an answer.
///
/// A correct password is remembered for some minutes as a keyed hash in memory, so a phone that
/// reconnects every minute costs no check. The entry counts only for the same version of the
/// password. A gateway that keeps logins across a restart remembers them as ``KeptLogins`` instead,
/// for a day.
///
/// The check of an unknown login takes as long as the check of a known one. Each refusal is counted
/// and recorded when the check is made, whether or not its client still waits for the answer.
///
/// Safe to use from any event loop.
final class Authenticator: Sendable {
    typealias Answer = AuthenticationResult

    /// A login to check.
    struct Request {
        var credentials: Credentials
        /// The client's address; nil for a channel without one.
        var address: SocketAddress?
        /// The protocol that the client speaks. Only submission opens an account that may only be
        /// sent from.
        var service: CredentialService
        /// The name of the client in the audit log.
        var actor: String
        /// The snapshot that the login is judged by.
        var permissions: StoreSnapshot
    }

    /// A login whose answer is pending; ``cancel(_:)`` takes it.
    struct Handle: Sendable {
        let login: PendingLogin
        /// Nil if the login needed no check.
        let mark: CheckQueue.Mark?
    }

    /// Threads that check passwords. Each check needs 32 MiB and 0.1 s of a core; more checks at
    /// once would starve the event loops.
    static let threads = 2
    /// The longest time from a login to its answer: the wait for a thread, the delay of a refusal,
    /// and some seconds for a busy machine.
    static let longestAnswer =
        CheckQueue.patience + LoginFailures.longestDelay + TimeAmount.seconds(10)
    /// How long a password is remembered; each use extends the entry by the whole time.
    static let memoryLifetime = TimeAmount.minutes(5)
    /// Remembered logins. Beyond the limit the oldest tenth is dropped.
    static let maximumEntries = 10_000
    /// An overload is logged at once, and then at most once in this period.
    static let overloadPeriod = TimeAmount.minutes(1)

    /// One remembered login.
    struct Remembered {
        var mark: CheckQueue.Mark
        var version: Int64
        /// When the entry expires.
        var until: NIODeadline
    }

    /// The state that event loops and check threads share, under one lock.
    struct Memory {
        /// At most ``maximumEntries``.
        var remembered: [UserID: Remembered] = [:]
        var failures: LoginFailures
        var known = KnownLogins()
        var queue = CheckQueue()
        /// Threads that work off the queue, at most ``threads``.
        var workers = 0
        /// Logins that were turned away since the last line in the log.
        var overloads = 0
        /// When the last overload was logged.
        var overloadLogged: NIODeadline?
    }

    /// The threads that check passwords.
    let pool = NIOThreadPool(numberOfThreads: Authenticator.threads)
    /// The key of all marks: random, and only in the memory of this process.
    let key = SymmetricKey()
    /// Locked for short work only, never during a password check.
    let memory: Mutex<Memory>
    let logger: Logger
    let now: @Sendable () -> NIODeadline
    /// Logins that outlast a restart; nil if they are not kept.
    let kept: KeptLogins?
    /// Appends a record to the audit log. Called on an event loop or on a check thread; returns at
    /// once.
    let record: @Sendable (AuditRecord) -> Void

    /// - Parameters:
    ///   - kept: logins that outlast a restart; nil if they are not kept.
    ///   - failures: failed logins of the other gateways; nil if the store has one gateway.
    ///   - now: the clock; a test replaces it.
    ///   - record: appends a record to the audit log.
    init(
        logger: Logger,
        kept: KeptLogins? = nil,
        failures: SharedFailures? = nil,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        record: @escaping @Sendable (AuditRecord) -> Void
    ) {
        self.logger = logger
        self.kept = kept
        self.memory = Mutex(Memory(failures: LoginFailures(shared: failures)))
        self.now = now
        self.record = record
    }

    /// Starts the threads. Checks that were queued before wait until then.
    func start() {
        self.pool.start()
        let workers = self.memory.withLock { $0.hire($0.queue.waiting) }
        for _ in 0..<workers { self.submitWork() }
    }

    /// Waits for running checks. Checks that have not begun are not made.
    func stop() async throws {
        try await self.pool.shutdownGracefully()
    }

    /// Whether a login succeeded recently from the network of an address.
    func isKnown(_ network: Network) -> Bool {
        self.memory.withLock { $0.known.contains(network, at: self.now()) }
    }

    /// The number of checks that wait for a thread.
    var waitingChecks: Int { self.memory.withLock { $0.queue.waiting } }

    /// Checks a login.
    /// - Parameter answer: called once on `loop`, after the delay of a refusal; never called after
    ///   ``cancel(_:)``.
    /// - Returns: the handle to cancel the login with.
    func authenticate(
        _ request: Request,
        on loop: any EventLoop,
        answer: @escaping @Sendable (Answer) -> Void
    ) -> Handle {
        let credentials = request.credentials
        let access = request.permissions.access
        let user = Address(credentials.login).flatMap { access.user(login: $0) }
        let record = user.flatMap { request.permissions.passwords[$0.id] }
        let password = PasswordHash.shortened(credentials.password.value)
        let login = self.pending(
            request,
            user: user?.id,
            version: record?.version,
            loop: loop,
            answer: answer
        )
        let claim: PasswordClaim? =
            if let user, !user.isDisabled, let record {
                PasswordClaim(user: user, password: password, record: record)
            } else {
                nil
            }
        let isAccepted = if case .accepted = login.whenRight { true } else { false }
        if isAccepted, let claim, self.remembers(claim, from: login.network) {
            login.finish(login.whenRight)
            return Handle(login: login, mark: nil)
        }
        let lane = self.lane(of: claim?.user, network: login.network)
        let hash = record?.hash ?? .dummy
        let check = CheckQueue.Check(
            mark: self.mark(credentials, version: record?.version, lane: lane),
            lane: lane,
            login: LoginFailures.folded(credentials.login)
        ) { [self, network = login.network] in
            // Another connection of the user may have been checked meanwhile.
            if isAccepted, let claim, self.remembers(claim, from: network) { return true }
            guard hash.verify(password), let claim else { return false }
            self.remember(claim)
            return true
        }
        self.enter(login, check: check)
        return Handle(login: login, mark: check.mark)
    }

    /// The client has closed its connection: no answer follows. A check that still waits is
    /// dropped; a check that runs is counted and recorded.
    func cancel(_ handle: Handle) {
        handle.login.cancel()
        guard let mark = handle.mark else { return }
        self.memory.withLock { $0.queue.cancel(handle.login, mark: mark) }
    }

    /// The pending login of a request, with the answer that a correct password leads to.
    func pending(
        _ request: Request,
        user: UserID?,
        version: Int64?,
        loop: any EventLoop,
        answer: @escaping @Sendable (Answer) -> Void
    ) -> PendingLogin {
        let network = Network(request.address)
        return PendingLogin(
            whenRight: user.map { Self.accept(request, user: $0) } ?? .refused,
            slots: LoginFailures.slots(login: request.credentials.login, network: network),
            network: network,
            record: AuditRecord(
                event: "login",
                outcome: .refused,
                actor: request.actor,
                from: request.address?.ipAddress
            ),
            version: version,
            since: self.now(),
            loop: loop,
            answer: answer
        )
    }

    /// The answer that a correct password leads to.
    ///
    /// An account that does not exist, or that the user has no right to, refuses the login after
    /// the same check and with the same delay as a wrong password: the response must not reveal
    /// whether the account exists.
    static func accept(_ request: Request, user: UserID) -> Answer {
        guard let name = request.credentials.account else { return .accepted(user, account: nil) }
        let access = request.permissions.access
        guard let address = Address(name), let account = access.account(address: address) else {
            return .refused
        }
        let known = access.access(of: user, to: account.id, at: .current)
        // A mailbox that the user may only send from has no folder to open with IMAP.
        let maySend = request.service == .submission && known.send != .none
        guard known.isVisible || maySend else { return .refused }
        return .accepted(user, account: account.id)
    }

    /// The queue for a login: its own lane if the user logged in from this network recently.
    /// - Parameter user: nil for a login that is unknown, disabled or without a password.
    func lane(of user: UserID?, network: Network) -> CheckQueue.Lane {
        guard let user else { return .other(network) }
        let isKnown = self.memory.withLock {
            $0.known.contains(user, from: network, at: self.now())
        }
        return isKnown ? .known(user) : .other(network)
    }

    // MARK: - The queue

    /// Queues a check, and turns away the logins that it displaces.
    func enter(_ login: PendingLogin, check: CheckQueue.Check) {
        let (entry, displaced, newWorkers) = self.memory.withLock { memory in
            let (entry, displaced) = memory.queue.enter(login, check: check)
            return (entry, displaced, entry == .entered ? memory.hire(1) : 0)
        }
        for other in displaced { self.turnAway(other) }
        if entry == .refused { self.turnAway(login) }
        for _ in 0..<newWorkers { self.submitWork() }
    }

    /// Lets a thread of the pool run the next check. A worker submits itself again after each check
    /// instead of a task for each login, because the pool would keep the tasks of clients that left.
    private func submitWork() {
        self.pool.submit { [self] state in
            // The pool has not been started, or is shutting down.
            guard case .active = state else { return self.memory.withLock { $0.workers -= 1 } }
            self.runNext()
        }
    }

    /// Answers logins that have waited for too long, and runs the next check. Called on a thread of
    /// the pool.
    private func runNext() {
        let (expired, check) = self.memory.withLock { memory in
            let expired = memory.queue.expire(at: self.now())
            let check = memory.queue.next()
            if check == nil { memory.workers -= 1 }
            return (expired, check)
        }
        for login in expired { self.turnAway(login) }
        guard let check else { return }
        let isRight = check.run()
        for login in self.memory.withLock({ $0.queue.leave(check.mark) }) {
            self.finish(login, isRight: isRight)
        }
        self.submitWork()
    }

    /// Counts and records the result, then answers. A refusal is recorded even if its client has
    /// closed the connection.
    func finish(_ login: PendingLogin, isRight: Bool) {
        if isRight, case .accepted(let user, _) = login.whenRight {
            if !login.isCancelled {
                self.memory.withLock {
                    $0.known.succeeded(user, from: login.network, at: self.now())
                }
            }
            return login.finish(login.whenRight)
        }
        let delay = self.memory.withLock { $0.failures.count(login.slots, at: self.now()) }
        self.record(login.record)
        login.finish(.refused, in: delay)
    }

    /// Answers a login that cannot be checked, because too many wait or it has waited for too long;
    /// the password is not checked.
    func turnAway(_ login: PendingLogin) {
        var record = login.record
        record.outcome = .failed
        record.detail = ["too many logins wait for a password check"]
        self.record(record)
        login.finish(.overloaded)
        let overloads: Int? = self.memory.withLock { memory in
            memory.overloads += 1
            let now = self.now()
            if let last = memory.overloadLogged, now - last < Self.overloadPeriod { return nil }
            defer { memory.overloads = 0 }
            memory.overloadLogged = now
            return memory.overloads
        }
        guard let overloads else { return }
        self.logger.warning(
            "too many logins wait for a password check: clients are told to try again",
            metadata: ["times": "\(overloads)", "network": "\(login.network)"]
        )
    }
}

extension Authenticator.Memory {
    /// Counts new workers.
    /// - Returns: how many of the wanted number there may be.
    mutating func hire(_ wanted: Int) -> Int {
        let count = max(min(wanted, Authenticator.threads - self.workers), 0)
        self.workers += count
        return count
    }
}
