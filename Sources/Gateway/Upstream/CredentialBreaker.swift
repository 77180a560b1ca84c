import Access
import Logging
import NIOCore
import Store
import Synchronization

/// The circuit breaker for stored credentials.
///
/// After a mail server has refused a credential, no session and no background conversation of this
/// gateway uses it again until the credential changes or its suspension ends. A few logins with one
/// credential run at once; further logins wait for a verdict. Users take turns among the waiting
/// logins, so a delegate with many connections delays each other user by one login at a time.
///
/// Without the breaker, a wrong stored password would cause one failed login for each command of a
/// client. Mail servers answer that by locking the account, or by blocking the gateway's address.
///
/// Safe to use from any event loop. ``state`` is locked for short, bounded work only.
final class CredentialBreaker: Sendable {
    /// The credential is suspended after a refusal. The caller answers its client at once.
    struct Suspended: Error {}
    /// Logins to the server are paused because it ended earlier ones without an answer. The caller
    /// answers its client at once.
    struct Paused: Error {}
    /// No running login came to a verdict within the waiting time.
    struct WaitedTooLong: Error {}
    /// The account's server or credential has changed since the caller read it.
    struct Outdated: Error {}

    typealias Key = CredentialCircuits.Key

    /// Refusals of a token that suspend nothing: the next login fetches a new token.
    static let toleratedTokenRefusals = 1

    let logger: Logger
    /// How long a login waits for the verdict of others.
    let waitingTime: TimeAmount
    let now: @Sendable () -> NIODeadline
    /// Returns the server and credential in force of an account.
    let inForce: @Sendable (AccountID) -> UpstreamAccount?
    /// Locked for short, bounded work only: each event loop may need it.
    let state = Mutex(State())

    /// - Parameters:
    ///   - waitingTime: how long a login waits for the verdict of others; its session waits no
    ///     longer.
    ///   - now: the clock; the same as the event loops' clock.
    ///   - inForce: returns the server and credential in force of an account; nil for an account
    ///     that is not in the store.
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

    /// Permission for one login with a stored credential. Releasing it without a verdict counts as
    /// a login without a verdict.
    final class Attempt: Sendable {
        private let breaker: CredentialBreaker
        private let lease: CredentialCircuits.Lease
        /// Whether a verdict was reported; later ones are ignored.
        private let hasVerdict = Atomic(false)
        /// When the server received the credential; nil before that, and after an answer.
        private let unansweredSince = Mutex<NIODeadline?>(nil)

        init(_ breaker: CredentialBreaker, lease: CredentialCircuits.Lease) {
            self.breaker = breaker
            self.lease = lease
        }

        /// The credential was sent; the server owes an answer. A second call changes nothing.
        func credentialSent(at now: NIODeadline) {
            self.unansweredSince.withLock { $0 = $0 ?? now }
        }

        /// The latest time for the server's answer; nil if it owes none.
        func answerDue(after time: TimeAmount) -> NIODeadline? {
            self.unansweredSince.withLock { $0.map { $0 + time } }
        }

        /// The server answered, but the answer does not judge the credential.
        func answeredWithoutVerdict() {
            self.unansweredSince.withLock { $0 = nil }
        }

        /// The server accepted the credential. Only the first verdict counts.
        func accepted() {
            guard !self.hasVerdict.exchange(true, ordering: .relaxed) else { return }
            self.breaker.accepted(self.lease)
        }

        /// The server refused the credential. Only the first verdict counts.
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

    /// Why a login would be denied now; nil if it would not be.
    func denial(
        _ account: UpstreamAccount,
        service: CredentialService
    ) -> CredentialCircuits.Denial? {
        let now = self.now()
        return self.state.withLock { $0.circuits.denial(account, service: service, at: now) }
    }

    /// Asks for permission to log in. Waits while the maximum number of logins with the same
    /// credential runs, at most for ``waitingTime``.
    /// - Parameter user: the user whose session logs in; nil for the gateway's own conversations,
    ///   which take turns with users as one more user.
    /// - Returns: a future on `loop`. It fails with ``Suspended``, ``Paused``, ``WaitedTooLong`` or
    ///   ``Outdated``, and is complete at once if no wait is needed.
    func attempt(
        _ account: UpstreamAccount,
        service: CredentialService,
        of user: UserID?,
        on loop: any EventLoop
    ) -> EventLoopFuture<Attempt> {
        let waiter = Waiter(account, promise: loop.makePromise(of: Attempt.self))
        let key = Key(account: account.id, service: service)
        // Versions carry no order: adopt the version in force, because a session may hold an older one.
        let current = self.inForce(account.id) ?? account
        let now = self.now()
        let released = self.state.withLock { state in
            state.circuits.adopt(current, service: service)
            state.waiting[key, default: FairQueue()].append(waiter, from: user)
            return state.release(key, at: now)
        }
        self.complete(released, asking: waiter)
        guard waiter.isWaiting else { return waiter.future }
        let timeout = loop.scheduleTask(in: self.waitingTime) {
            self.state.withLock { $0.remove(waiter, of: user, key: key) }
            waiter.timePassed()
        }
        waiter.future.whenComplete { _ in timeout.cancel() }
        return waiter.future
    }

    /// Makes the server and credential of `account` the ones in force; later verdicts count for
    /// these.
    func adopt(_ account: UpstreamAccount, service: CredentialService) {
        self.state.withLock { $0.circuits.adopt(account, service: service) }
    }

    // MARK: - Waiting logins

    /// A login that waits for the verdict of others.
    final class Waiter: Sendable {
        let account: UpstreamAccount
        private let promise: EventLoopPromise<Attempt>
        /// Whether the wait was completed, or its time has passed.
        private let hasEnded = Atomic(false)

        init(_ account: UpstreamAccount, promise: EventLoopPromise<Attempt>) {
            self.account = account
            self.promise = promise
        }

        var future: EventLoopFuture<Attempt> { self.promise.futureResult }

        var isWaiting: Bool { !self.hasEnded.load(ordering: .relaxed) }

        /// Completes the wait. If the waiting time has passed before, the attempt in `result` is
        /// released without a verdict.
        /// - Parameter atOnce: whether to complete on the caller's stack.
        func complete(_ result: Result<Attempt, any Error>, atOnce: Bool) {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return }
            guard !atOnce else { return self.promise.completeWith(result) }
            // Completing one waiter can release the next: without this hop, a thousand of them
            // would overflow the stack.
            self.promise.futureResult.eventLoop.execute { [promise = self.promise] in
                promise.completeWith(result)
            }
        }

        /// The waiting time has passed.
        func timePassed() {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return }
            self.promise.fail(WaitedTooLong())
        }
    }

    /// A waiting login with the decision about it.
    typealias Released = (waiter: Waiter, admission: CredentialCircuits.Admission)

    /// What the lock protects.
    struct State {
        var circuits = CredentialCircuits()
        /// The waiting logins, without those whose time has passed.
        var waiting: [Key: FairQueue<UserID?, Waiter>] = [:]

        /// Removes and returns the waiting logins that are decided now.
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

        /// Removes a login whose waiting time has passed.
        mutating func remove(_ waiter: Waiter, of user: UserID?, key: Key) {
            _ = self.waiting[key]?.remove(from: user) { $0 === waiter }
            if self.waiting[key]?.count == 0 { self.waiting[key] = nil }
        }
    }

    /// Decides the waiting logins of a credential again.
    func release(_ account: UpstreamAccount, service: CredentialService) {
        let key = Key(account: account.id, service: service)
        let now = self.now()
        self.complete(self.state.withLock { $0.release(key, at: now) }, asking: nil)
    }

    /// Completes the released logins.
    /// - Parameter asking: the login that the caller has just added; it completes on the caller's
    ///   stack.
    func complete(_ released: [Released], asking: Waiter?) {
        for (waiter, admission) in released {
            waiter.complete(self.result(admission), atOnce: waiter === asking)
        }
    }

    /// The result that a waiting login gets.
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

    /// The credentials that are suspended now, of accounts that are in the store.
    ///
    /// The time depends on the number of suspended credentials, not on the number of accounts,
    /// because each event loop may need the lock.
    /// - Parameter accounts: all accounts of the store.
    func suspended(
        _ accounts: PersistentTable<AccountID, UpstreamAccount>
    ) -> [SuspendedCredential] {
        let now = self.now()
        return self.state.withLock { state in
            state.circuits.keep(at: now) { accounts[$0] != nil }
            return state.circuits.suspended.compactMap { accounts[$0] }.flatMap { account in
                CredentialService.allCases.compactMap { service in
                    guard let server = service.server(of: account),
                        let found = state.circuits.suspension(
                            of: account,
                            service: service,
                            at: now
                        )
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
