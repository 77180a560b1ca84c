import Access
import Logging
import NIOCore
import Store
import Synchronization

/// The circuit breaker for stored credentials: after a mail server has refused one, no session and no background
/// conversation of this gateway tries it again until it changes or its pause has passed. A few logins with one credential
/// are under way together; the others wait for their verdict, and the users among them take turns: a delegate with many
/// connections keeps nobody else waiting for more than one login at a time.
///
/// Without it, a wrong stored password is one failed login for each command of a client. That locks the owner, or
/// the gateway's address, out of the mail server.
final class CredentialBreaker: Sendable {
    /// The credential rests after a refusal: the caller answers at once.
    struct Suspended: Error {}
    /// The server is left alone because it ended logins without an answer: the caller answers at once.
    struct Paused: Error {}
    /// No other login came to a verdict in time.
    struct WaitedTooLong: Error {}
    /// The account has another server or credential by now.
    struct Outdated: Error {}

    typealias Key = CredentialCircuits.Key

    /// Tokens that are refused once are fetched anew for the next login.
    static let toleratedTokenRefusals = 1

    let logger: Logger
    let waitingTime: TimeAmount
    let now: @Sendable () -> NIODeadline
    let inForce: @Sendable (AccountID) -> UpstreamAccount?
    let state = Mutex(State())

    /// - Parameters:
    ///   - waitingTime: how long a login waits for the verdict on others: its session waits no longer.
    ///   - now: the time; the one of the event loops whose logins ask.
    ///   - inForce: an account's server and credential in force; nil for an account that is not in the store.
    init(
        logger: Logger,
        waitingTime: TimeAmount,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        inForce: @escaping @Sendable (AccountID) -> UpstreamAccount? = { _ in nil }
    ) {
        self.logger = logger
        self.waitingTime = waitingTime
        self.now = now
        self.inForce = inForce
    }

    /// Permission for one login with a stored credential. If it is released without a verdict, the login came to
    /// none.
    final class Attempt: Sendable {
        private let breaker: CredentialBreaker
        private let lease: CredentialCircuits.Lease
        private let hasVerdict = Atomic(false)
        /// Since when the server has the credential without an answer.
        private let unansweredSince = Mutex<NIODeadline?>(nil)

        init(_ breaker: CredentialBreaker, lease: CredentialCircuits.Lease) {
            self.breaker = breaker
            self.lease = lease
        }

        /// The server gets the credential: it has to answer. Told again, this changes nothing.
        func credentialSent(at now: NIODeadline) {
            self.unansweredSince.withLock { $0 = $0 ?? now }
        }

        /// When the server has had the credential for so long; nil where it does not owe an answer.
        func answerDue(after time: TimeAmount) -> NIODeadline? {
            self.unansweredSince.withLock { $0.map { $0 + time } }
        }

        /// The server answered, and its answer says nothing about the credential.
        func answeredWithoutVerdict() {
            self.unansweredSince.withLock { $0 = nil }
        }

        func accepted() {
            guard !self.hasVerdict.exchange(true, ordering: .relaxed) else { return }
            self.breaker.accepted(self.lease)
        }

        func refused() {
            guard !self.hasVerdict.exchange(true, ordering: .relaxed) else { return }
            self.breaker.refused(self.lease)
        }

        deinit {
            guard !self.hasVerdict.load(ordering: .relaxed) else { return }
            self.breaker.ended(
                self.lease,
                isUnanswered: self.unansweredSince.withLock { $0 != nil }
            )
        }
    }

    /// Why a login would be turned away now; nil where none would.
    func denial(
        _ account: UpstreamAccount,
        service: CredentialService
    ) -> CredentialCircuits.Denial? {
        let now = self.now()
        return self.state.withLock { $0.circuits.denial(account, service: service, at: now) }
    }

    /// Asks for a login. Waits where as many as may be are under way with the same credential, at most for the
    /// breaker's waiting time.
    /// - Parameter user: whose session logs in; nil for the gateway's own conversations, which take turns with users
    ///   as one of them.
    /// - Returns: fails with ``Suspended``, ``Paused``, ``WaitedTooLong`` or ``Outdated``; at once where nobody is waited for.
    func attempt(
        _ account: UpstreamAccount,
        service: CredentialService,
        of user: UserID?,
        on loop: any EventLoop
    ) -> EventLoopFuture<Attempt> {
        let waiter = Waiter(account, promise: loop.makePromise(of: Attempt.self))
        let key = Key(account: account.id, service: service)
        // A session may have an older version: which of two is the newer one cannot be seen in them.
        let current = self.inForce(account.id) ?? account
        let now = self.now()
        let released = self.state.withLock { state in
            state.circuits.adopt(current, service: service)
            state.waiting[key, default: FairQueue()].append(waiter, from: user)
            return state.release(key, at: now)
        }
        self.goOn(released, asking: waiter)
        guard waiter.isWaiting else { return waiter.future }
        let timeout = loop.scheduleTask(in: self.waitingTime) {
            self.state.withLock { $0.remove(waiter, of: user, key: key) }
            waiter.timePassed()
        }
        waiter.future.whenComplete { _ in timeout.cancel() }
        return waiter.future
    }

    /// What is told next of an account is about its present server and credential.
    func adopt(_ account: UpstreamAccount, service: CredentialService) {
        self.state.withLock { $0.circuits.adopt(account, service: service) }
    }

    // MARK: - Those that wait

    /// A login that waits until others come to a verdict.
    final class Waiter: Sendable {
        let account: UpstreamAccount
        private let promise: EventLoopPromise<Attempt>
        private let hasEnded = Atomic(false)

        init(_ account: UpstreamAccount, promise: EventLoopPromise<Attempt>) {
            self.account = account
            self.promise = promise
        }

        var future: EventLoopFuture<Attempt> { self.promise.futureResult }

        var isWaiting: Bool { !self.hasEnded.load(ordering: .relaxed) }

        /// What it waits for is there; a waiter whose time has passed gives it back by dropping it.
        func goOn(_ result: Result<Attempt, any Error>, atOnce: Bool) {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return }
            guard !atOnce else { return self.promise.completeWith(result) }
            // Who goes on may release the next one, and a thousand of those are too deep for the stack.
            self.promise.futureResult.eventLoop.execute { [promise = self.promise] in
                promise.completeWith(result)
            }
        }

        func timePassed() {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return }
            self.promise.fail(WaitedTooLong())
        }
    }

    typealias Released = (waiter: Waiter, admission: CredentialCircuits.Admission)

    struct State {
        var circuits = CredentialCircuits()
        /// Without those whose time has passed.
        var waiting: [Key: FairQueue<UserID?, Waiter>] = [:]

        /// Takes out as many as may log in now.
        mutating func release(_ key: Key, at now: NIODeadline) -> [Released] {
            var released: [Released] = []
            while let next = self.waiting[key]?.first {
                let admission = self.circuits.admit(next.account, service: key.service, at: now)
                guard admission != .waits else { break }
                released.append((next, admission))
                _ = self.waiting[key]?.next()
            }
            if self.waiting[key]?.count == 0 { self.waiting[key] = nil }
            return released
        }

        /// Takes out a waiter whose time has passed.
        mutating func remove(_ waiter: Waiter, of user: UserID?, key: Key) {
            _ = self.waiting[key]?.remove(from: user) { $0 === waiter }
            if self.waiting[key]?.count == 0 { self.waiting[key] = nil }
        }
    }

    func release(_ account: UpstreamAccount, service: CredentialService) {
        let key = Key(account: account.id, service: service)
        let now = self.now()
        self.goOn(self.state.withLock { $0.release(key, at: now) }, asking: nil)
    }

    /// - Parameter asking: who has just come, and is told at once.
    func goOn(_ released: [Released], asking: Waiter?) {
        for (waiter, admission) in released {
            waiter.goOn(self.result(admission), atOnce: waiter === asking)
        }
    }

    func result(
        _ admission: CredentialCircuits.Admission
    ) -> Result<Attempt, any Error> {
        switch admission {
        case .admitted(let lease): .success(Attempt(self, lease: lease))
        case .denied(.credentialRefused): .failure(Suspended())
        case .denied(.serverUnanswering): .failure(Paused())
        case .outdated: .failure(Outdated())
        case .waits: .failure(WaitedTooLong())
        }
    }

    // MARK: - For administrators

    /// The credentials that rest now, of accounts that are in the store. The time depends on how many rest, not on
    /// how many accounts there are: each event loop may need the lock.
    func suspended(_ accounts: [AccountID: UpstreamAccount]) -> [SuspendedCredential] {
        let now = self.now()
        return self.state.withLock { state in
            state.circuits.keep(at: now) { accounts[$0] != nil }
            return state.circuits.resting.compactMap { accounts[$0] }.flatMap { account in
                CredentialService.allCases.compactMap { service in
                    guard let server = service.server(of: account),
                        let found = state.circuits.suspension(of: account, service, at: now)
                    else { return nil }
                    return SuspendedCredential(
                        account: account.id.rawValue,
                        address: account.address,
                        service: service,
                        server: server,
                        refusals: found.refusals,
                        seconds: (found.until - now).nanoseconds / 1_000_000_000
                    )
                }
            }
        }
    }
}
