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
/// The sources of a login (``AuthenticationSources``) are asked in order, until one knows the login or
/// cannot answer. Each source has its own queue and threads, so a mail server that hangs delays no
/// login that is checked elsewhere.
///
/// Logins wait for a thread in turns (``CheckQueue``), as long as mail programs wait for an answer.
///
/// A correct password is remembered for some minutes as a keyed hash in memory, so a phone that
/// reconnects every minute costs no check. The entry counts only for the same version of the
/// password. A gateway that keeps logins across a restart remembers those with passwords in the store as
/// ``KeptLogins`` instead, for a day.
///
/// The refusal of an unknown login takes as long as that of a wrong password. Each refusal is counted
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
        /// Nil for a login that no enabled user has.
        let claim: LoginClaim?
        /// The checks by all sources that may be asked; empty if the login needed none.
        let marks: [CheckQueue.Mark]
    }

    /// The longest time from a login to its answer: the wait for a thread, the answer of a server, the
    /// delay of a refusal, and some seconds for a busy machine.
    static let longestAnswer =
        CheckQueue.patience + PasswordQuestions.longestCheck + LoginFailures.longestDelay
        + TimeAmount.seconds(10)
    /// How long an answer without a check takes, so that no client asks again and again for a server
    /// that is down.
    static let unavailableDelay = TimeAmount.seconds(2)
    /// How long a refusal takes at least if a source is asked over the network. Mail servers wait two
    /// or three seconds before they refuse a password.
    static let shortestNetworkRefusal = TimeAmount.seconds(4)
    /// How long a password is remembered; for passwords in the store, each use extends it by the whole time.
    static let memoryLifetime = TimeAmount.minutes(5)
    /// Remembered logins. Beyond the limit the oldest tenth is dropped.
    static let maximumEntries = 10_000
    /// An overload is logged at once, and then at most once in this period.
    static let overloadPeriod = TimeAmount.minutes(1)

    /// One remembered login.
    struct Remembered {
        var mark: CheckQueue.Mark
        /// What the verdict depended on (``SourceCheck/basis``).
        var basis: [UInt8]
        /// When the entry expires.
        var until: NIODeadline
    }

    /// The checks of one source.
    struct SourceQueue {
        var queue = CheckQueue()
        /// Threads that work off the queue, at most as many as the source has.
        var workers = 0
    }

    /// The state that event loops and check threads share, under one lock.
    struct Memory {
        /// At most ``maximumEntries``.
        var remembered: [UserID: Remembered] = [:]
        var failures: LoginFailures
        var known = KnownLogins()
        /// The checks by the number of their source.
        var queues: [SourceQueue]
        /// Logins that were turned away since the last line in the log.
        var overloads = 0
        /// When the last overload was logged.
        var overloadLogged: NIODeadline?
    }

    let sources: AuthenticationSources
    /// The threads that check passwords, by the number of their source.
    let pools: [NIOThreadPool]
    /// The sources that could not answer, for the log.
    let unavailableSources: UnavailableSources
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
    ///   - sources: verify the logins.
    ///   - kept: logins that outlast a restart; nil if they are not kept.
    ///   - failures: failed logins of the other gateways; nil if the store has one gateway.
    ///   - now: the clock; a test replaces it.
    ///   - record: appends a record to the audit log.
    init(
        logger: Logger,
        sources: AuthenticationSources = AuthenticationSources(),
        kept: KeptLogins? = nil,
        failures: SharedFailures? = nil,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        record: @escaping @Sendable (AuditRecord) -> Void
    ) {
        self.logger = logger
        self.kept = kept
        self.sources = sources
        self.pools = sources.all.map { NIOThreadPool(numberOfThreads: $0.threads) }
        self.unavailableSources = UnavailableSources(logger: logger)
        self.memory = Mutex(
            Memory(
                failures: LoginFailures(shared: failures),
                queues: sources.all.map { _ in SourceQueue() }
            )
        )
        self.now = now
        self.record = record
    }

    /// Starts the threads. Checks that were queued before wait until then.
    func start() {
        for source in self.pools.indices {
            self.pools[source].start()
            let workers = self.memory.withLock {
                $0.hire($0.queues[source].queue.waiting, for: source, of: self.sources)
            }
            for _ in 0..<workers { self.submitWork(of: source) }
        }
    }

    /// Waits for running checks. Checks that have not begun are not made.
    func stop() async throws {
        for source in self.sources.all { source.stop() }
        try await withThrowingTaskGroup { group in
            for pool in self.pools { group.addTask { try await pool.shutdownGracefully() } }
            try await group.waitForAll()
        }
    }

    /// Whether a login succeeded recently from the network of an address.
    func isKnown(_ network: Network) -> Bool {
        self.memory.withLock { $0.known.contains(network, at: self.now()) }
    }

    /// The number of checks that wait for a thread.
    var waitingChecks: Int {
        self.memory.withLock { $0.queues.reduce(0) { $0 + $1.queue.waiting } }
    }

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
        let login = self.pending(request, user: user?.id, loop: loop, answer: answer)
        let isAccepted = if case .accepted = login.whenRight { true } else { false }
        let claim = user.flatMap {
            $0.isDisabled ? nil : self.claim(of: $0, login: login, request: request)
        }
        let found = claim.map { self.sources.checks(of: $0, in: request.permissions) } ?? []
        // Of several sources only the first one that may know the login: its verdict would come first.
        if isAccepted, let claim, let first = found.first?.check,
            self.remembers(first, of: claim)
        {
            login.decided(by: first.subject, end: .none)
            login.finish(login.whenRight)
            return Handle(login: login, claim: claim, marks: [])
        }
        let lane = self.lane(of: found.isEmpty ? nil : claim?.user.id, network: login.network)
        var checks = found.map { source, check in
            CheckQueue.Check(
                source: source,
                subject: check.subject,
                mark: self.mark(credentials, basis: check.basis, lane: lane),
                lane: lane,
                login: LoginFailures.folded(credentials.login)
            ) { [self] in
                guard let claim else { return .refused() }
                // Another connection of the user may have been checked meanwhile.
                if isAccepted, self.remembers(check, of: claim) { return .verified() }
                let verdict = check.run()
                if case .verified = verdict { self.remember(check, of: claim) }
                return verdict
            }
        }
        // A login that no source knows takes the time of a check.
        if checks.isEmpty { checks.append(self.checkOfUnknownLogin(credentials, lane: lane)) }
        var check = checks[0]
        check.following = Array(checks.dropFirst())
        self.enter(login, check: check)
        return Handle(login: login, claim: claim, marks: checks.map(\.mark))
    }
}
