import Access
import Cryptography
import Logging
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Synchronization

/// Checks passwords: off the event loops, with bounded concurrency, and answers guesses slowly.
///
/// A password that was right is remembered for some minutes as a keyed hash in memory, so that a
/// phone that reconnects every minute costs nothing; it counts only for the password's version.
/// An unknown login costs the same time as a known one. Each refusal is counted and recorded when the check is made,
/// whether or not its client still waits for the answer.
final class Authenticator: Sendable {
    typealias Answer = AuthenticationResult

    /// What a client asks for.
    struct Request {
        var credentials: Credentials
        var address: SocketAddress?
        var service: CredentialService
        /// As the audit log names who tries to log in.
        var actor: String
        var permissions: StoreSnapshot
    }

    /// A login whose answer is not there yet.
    struct Handle: Sendable {
        let login: PendingLogin
        let mark: CheckQueue.Mark?
        let lane: CheckQueue.Lane
    }

    /// Each check needs 32 MiB and 0.1 s of a core; more at once would starve the event loops.
    static let threads = 2
    /// Each use begins it anew.
    static let memoryLifetime = TimeAmount.minutes(5)
    /// Logins remembered at most; beyond it a tenth goes, the oldest.
    static let maximumEntries = 10_000
    /// An overload is one line in the log, and then at most one in this time.
    static let overloadPeriod = TimeAmount.minutes(1)

    struct Remembered {
        var mark: CheckQueue.Mark
        var version: Int64
        var until: NIODeadline
    }

    struct Memory {
        var remembered: [UserID: Remembered] = [:]
        var failures = LoginFailures()
        var known = KnownLogins()
        var queue = CheckQueue()
        /// Logins that were told to come back since the last line in the log.
        var overloads = 0
        var overloadLogged: NIODeadline?
    }

    let pool = NIOThreadPool(numberOfThreads: Authenticator.threads)
    let key = SymmetricKey()
    let memory = Mutex(Memory())
    let logger: Logger
    let now: @Sendable () -> NIODeadline
    let record: @Sendable (AuditRecord) -> Void

    /// - Parameter record: puts a record into the audit log.
    init(
        logger: Logger,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        record: @escaping @Sendable (AuditRecord) -> Void
    ) {
        self.logger = logger
        self.now = now
        self.record = record
    }

    func start() {
        self.pool.start()
    }

    func stop() async throws {
        try await self.pool.shutdownGracefully()
    }

    /// Whether a login succeeded recently from the network of an address.
    func isKnown(_ network: Network) -> Bool {
        self.memory.withLock { $0.known.contains(network, at: self.now()) }
    }

    /// Checks that wait for a thread.
    var waitingChecks: Int { self.memory.withLock { $0.queue.waiting } }

    /// Answers on `loop`, once; not at all after ``cancel(_:)``.
    func authenticate(
        _ request: Request,
        on loop: any EventLoop,
        answer: @escaping @Sendable (Answer) -> Void
    ) -> Handle {
        let credentials = request.credentials
        let access = request.permissions.access
        let user = Address(credentials.login).flatMap { access.user(login: $0) }
        let record = user.flatMap { request.permissions.passwords[$0.id] }
        let isUsable = user.map { !$0.isDisabled } ?? false && record != nil
        let login = Self.pending(request, user: user?.id, loop: loop, answer: answer)
        let lane = self.lane(of: isUsable ? user?.id : nil, login.network)
        let password = credentials.password.value
        if isUsable, let user, let record, case .accepted = login.whenRight,
            self.remembers(
                user.id,
                password: password,
                version: record.version,
                from: login.network
            )
        {
            login.finish(login.whenRight)
            return Handle(login: login, mark: nil, lane: lane)
        }
        let hash = record?.hash ?? .dummy
        let check = CheckQueue.Check(
            mark: self.mark(credentials, version: record?.version, lane: lane),
            lane: lane
        ) { [self] in
            let isRight = hash.verify(password) && isUsable
            if isRight, let user, let record {
                self.remember(user.id, password: password, version: record.version)
            }
            return isRight
        }
        self.enter(login, check: check)
        return Handle(login: login, mark: check.mark, lane: lane)
    }

    /// The connection has closed: a check that waits is not made, and nobody is answered. A check that runs is
    /// counted and recorded as always.
    func cancel(_ handle: Handle) {
        handle.login.cancel()
        guard let mark = handle.mark else { return }
        self.memory.withLock { $0.queue.cancel(handle.login, mark: mark, lane: handle.lane) }
    }

    static func pending(
        _ request: Request,
        user: UserID?,
        loop: any EventLoop,
        answer: @escaping @Sendable (Answer) -> Void
    ) -> PendingLogin {
        let network = Network(request.address)
        return PendingLogin(
            whenRight: user.map { self.accept(request, user: $0) } ?? .refused,
            slots: LoginFailures.slots(login: request.credentials.login, network),
            network: network,
            record: AuditRecord(
                event: "login",
                outcome: .refused,
                actor: request.actor,
                from: request.address?.ipAddress
            ),
            loop: loop,
            answer: answer
        )
    }

    /// The account in `LOGIN/ACCOUNT`; one that does not exist, or that the user has no right on, refuses the login
    /// after the same check, with the same delay, as a wrong password.
    static func accept(_ request: Request, user: UserID) -> Answer {
        guard let name = request.credentials.account else { return .accepted(user, account: nil) }
        let access = request.permissions.access
        guard let address = Address(name), let account = access.account(address: address) else {
            return .refused
        }
        let known = access.access(of: user, to: account.id, at: .current)
        // A mailbox that may only be sent from is none for IMAP.
        let maySend = request.service == .submission && known.send != .none
        guard known.isVisible || maySend else { return .refused }
        return .accepted(user, account: account.id)
    }

    func lane(of user: UserID?, _ network: Network) -> CheckQueue.Lane {
        guard let user else { return .other(network) }
        let isKnown = self.memory.withLock {
            $0.known.contains(user, from: network, at: self.now())
        }
        return isKnown ? .known(user) : .other(network)
    }

    // MARK: - The queue

    func enter(_ login: PendingLogin, check: CheckQueue.Check) {
        let (entry, displaced) = self.memory.withLock { $0.queue.enter(login, check: check) }
        for other in displaced { self.turnAway(other) }
        switch entry {
        case .refused:
            self.turnAway(login)
        case .joined:
            break
        case .entered:
            self.pool.submit { [self] _ in self.runNext() }
        }
    }

    /// On one of the threads.
    func runNext() {
        // There is none where it had to make room, or its connection has closed.
        guard let check = self.memory.withLock({ $0.queue.next() }) else { return }
        let isRight = check.run()
        for login in self.memory.withLock({ $0.queue.leave(check.mark) }) {
            self.finish(login, isRight: isRight)
        }
    }

    /// Counts and records before anybody is answered, and where nobody is.
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

    /// There is no time for the check of a login now.
    func turnAway(_ login: PendingLogin) {
        var record = login.record
        record.outcome = .failed
        record.detail = ["too many logins wait for their check"]
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
            "the check of passwords is overloaded; logins are told to come back",
            metadata: ["times": "\(overloads)", "network": "\(login.network)"]
        )
    }
}
