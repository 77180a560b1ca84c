import Access
import Logging
import NIOCore
import Store
import Synchronization

/// The servers at which an account's credential is used.
package enum CredentialService: String, Codable, CaseIterable, Sendable {
    case imap
    case submission

    var other: CredentialService { self == .imap ? .submission : .imap }

    /// Where and as whom an account logs in there; nil without a server for sending.
    func server(of account: UpstreamAccount) -> UpstreamAccount.Server? {
        switch self {
        case .imap: account.server
        case .submission: account.sendingServer
        }
    }
}

/// The circuit breaker for stored credentials: after a mail server has refused one, no session and no background
/// conversation of this gateway tries it again until it changes or its pause has passed.
///
/// Without it, a wrong stored password is one failed login for each command of a client. That locks the owner, or
/// the gateway's address, out of the mail server.
final class CredentialBreaker: Sendable {
    /// The credential rests: the caller answers at once.
    struct Suspended: Error {}
    /// No other login came to a verdict in time.
    struct WaitedTooLong: Error {}

    private typealias Key = CredentialCircuits.Key

    /// A login that waits for the verdict on another one.
    private final class Waiter: Sendable {
        private let promise: EventLoopPromise<Void>
        private let hasEnded = Atomic(false)

        init(_ promise: EventLoopPromise<Void>) {
            self.promise = promise
        }

        var isWaiting: Bool { !self.hasEnded.load(ordering: .relaxed) }

        /// - Returns: false where its time has passed.
        func goOn() -> Bool {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return false }
            // Not at once: who goes on may release the next one, and a thousand of those are too deep for the stack.
            self.promise.futureResult.eventLoop.execute { [promise = self.promise] in
                promise.succeed()
            }
            return true
        }

        func timePassed() {
            guard !self.hasEnded.exchange(true, ordering: .relaxed) else { return }
            self.promise.fail(WaitedTooLong())
        }
    }

    private struct State {
        var circuits = CredentialCircuits()
        var waiting: [Key: CircularBuffer<Waiter>] = [:]

        /// In the order of their arrival, and so of their deadlines but for a few: whose time has passed goes here.
        mutating func append(_ waiter: Waiter, _ key: Key) {
            var waiting = self.waiting.removeValue(forKey: key) ?? []
            while let first = waiting.first, !first.isWaiting { waiting.removeFirst() }
            waiting.append(waiter)
            self.waiting[key] = waiting
        }

        mutating func next(_ key: Key) -> Waiter? {
            guard let next = self.waiting[key]?.popFirst() else {
                self.waiting[key] = nil
                return nil
            }
            return next
        }
    }

    /// Tokens that are refused once are fetched anew for the next login.
    private static let toleratedTokenRefusals = 1

    private let logger: Logger
    private let waitingTime: TimeAmount
    private let state = Mutex(State())

    /// - Parameter waitingTime: how long a login waits for the verdict on another one: its session waits no longer.
    init(logger: Logger, waitingTime: TimeAmount) {
        self.logger = logger
        self.waitingTime = waitingTime
    }

    /// Permission for one login with a stored credential. If it is released without a verdict, the login came to
    /// none: the server was not reached, or was busy.
    final class Attempt: Sendable {
        private let breaker: CredentialBreaker
        private let account: UpstreamAccount
        private let service: CredentialService
        private let hasVerdict = Atomic(false)

        fileprivate init(
            _ breaker: CredentialBreaker,
            _ account: UpstreamAccount,
            _ service: CredentialService
        ) {
            self.breaker = breaker
            self.account = account
            self.service = service
        }

        func accepted() {
            guard !self.hasVerdict.exchange(true, ordering: .relaxed) else { return }
            self.breaker.accepted(self.account, self.service)
        }

        func refused() {
            guard !self.hasVerdict.exchange(true, ordering: .relaxed) else { return }
            self.breaker.refused(self.account, self.service)
        }

        deinit {
            guard !self.hasVerdict.load(ordering: .relaxed) else { return }
            self.breaker.ended(self.account, self.service)
        }
    }

    /// Whether a login would be turned away now.
    func isSuspended(_ account: UpstreamAccount, _ service: CredentialService) -> Bool {
        self.state.withLock { $0.circuits.suspension(of: account, service, at: .now()) != nil }
    }

    /// Asks for a login. Waits where another one tries the same credential for the first time.
    /// - Returns: fails with ``Suspended`` where the credential rests, and with ``WaitedTooLong``.
    func attempt(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        on loop: any EventLoop
    ) -> EventLoopFuture<Attempt> {
        self.attempt(account, service, on: loop, until: .now() + self.waitingTime)
    }

    private func attempt(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        on loop: any EventLoop,
        until deadline: NIODeadline
    ) -> EventLoopFuture<Attempt> {
        let promise = loop.makePromise(of: Void.self)
        let waiter = Waiter(promise)
        let admission = self.state.withLock { state in
            let admission = state.circuits.admit(account, service, at: .now())
            if admission == .waits {
                state.append(waiter, Key(account: account.id, service: service))
            }
            return admission
        }
        switch admission {
        case .admitted:
            promise.succeed()
            return loop.makeSucceededFuture(Attempt(self, account, service))
        case .suspended:
            promise.succeed()
            // Who was to try next does not, and so nobody after it.
            self.releaseAll(account, service)
            return loop.makeFailedFuture(Suspended())
        case .waits:
            let timeout = loop.scheduleTask(deadline: deadline) { waiter.timePassed() }
            return promise.futureResult.flatMap {
                timeout.cancel()
                return self.attempt(account, service, on: loop, until: deadline)
            }
        }
    }

    /// What is told next of an account is about its present server and credential.
    func adopt(_ account: UpstreamAccount, _ service: CredentialService) {
        self.state.withLock { $0.circuits.adopt(account, service) }
    }

    // MARK: - Verdicts

    func accepted(_ account: UpstreamAccount, _ service: CredentialService) {
        let wasSuspended = self.state.withLock { state in
            defer { state.circuits.accepted(account, service, at: .now()) }
            return state.circuits.suspension(of: account, service, at: .now()) != nil
        }
        if wasSuspended {
            self.logger.notice(
                "a mail server accepts the stored credential again",
                metadata: ["account": "\(account.address)", "for": "\(service.rawValue)"]
            )
        }
        self.releaseAll(account, service)
    }

    func refused(_ account: UpstreamAccount, _ service: CredentialService) {
        let tolerated = account.usesToken ? Self.toleratedTokenRefusals : 0
        let now = NIODeadline.now()
        let begun = self.state.withLock {
            $0.circuits.refused(account, service, tolerated: tolerated, at: now)
        }
        if let begun {
            self.logger.error(
                "a mail server refused the stored credential; it is not tried again for a while",
                metadata: [
                    "account": "\(account.address)", "for": "\(service.rawValue)",
                    "refusals": "\(begun.refusals)",
                    "seconds": "\((begun.until - now).nanoseconds / 1_000_000_000)",
                    "remedy": "gatepost account set \(account.address) --password-stdin",
                ]
            )
        }
        self.releaseAll(account, service)
    }

    /// Without a verdict the next login tries alone, and the others wait on.
    fileprivate func ended(_ account: UpstreamAccount, _ service: CredentialService) {
        let key = Key(account: account.id, service: service)
        self.state.withLock { $0.circuits.ended(account, service) }
        while let next = self.state.withLock({ $0.next(key) }) {
            if next.goOn() { return }
        }
    }

    private func releaseAll(_ account: UpstreamAccount, _ service: CredentialService) {
        let key = Key(account: account.id, service: service)
        let waiting = self.state.withLock { $0.waiting.removeValue(forKey: key) ?? [] }
        for waiter in waiting { _ = waiter.goOn() }
    }

    // MARK: - For administrators

    /// The credentials that rest now, of accounts that are in the store. The time depends on how many rest, not on
    /// how many accounts there are: each event loop may need the lock.
    func suspended(_ accounts: [AccountID: UpstreamAccount]) -> [SuspendedCredential] {
        let now = NIODeadline.now()
        return self.state.withLock { state in
            state.circuits.keep(at: now) { accounts[$0] != nil }
            return state.circuits.resting.compactMap { accounts[$0] }.flatMap { account in
                CredentialService.allCases.compactMap { service in
                    guard service.server(of: account) != nil,
                        let found = state.circuits.suspension(of: account, service, at: now)
                    else { return nil }
                    return SuspendedCredential(
                        account: account.address,
                        service: service,
                        refusals: found.refusals,
                        seconds: (found.until - now).nanoseconds / 1_000_000_000
                    )
                }
            }
        }
    }
}

/// A stored credential that a running gateway does not try for now, because a mail server refused it.
package struct SuspendedCredential: Codable, Equatable, Sendable {
    /// The primary address of the account.
    package var account: String
    package var service: CredentialService
    /// Refusals without a success between them.
    package var refusals: Int
    /// Until it is tried again.
    package var seconds: Int64
}

extension Environment {
    /// Takes note of what a login of the command line found. Looks through all accounts: not for an event loop.
    /// - Returns: the credentials that rest now.
    func answer(_ request: ControlMessage.CredentialRequest) -> [SuspendedCredential] {
        let accounts = self.permissions.current.endpoints
        let verdict = request.verdict
        let named = verdict.map { ExactText($0.account) }
        if let verdict,
            let account = accounts.values.first(where: { ExactText($0.address) == named })
        {
            self.credentialBreaker.adopt(account, verdict.service)
            if verdict.isAccepted {
                if account.usesToken { self.credentials.tokensAccepted() }
                self.credentialBreaker.accepted(account, verdict.service)
            } else {
                self.credentialBreaker.refused(account, verdict.service)
            }
        }
        return self.credentialBreaker.suspended(accounts).sorted {
            if ExactText($0.account) == ExactText($1.account) {
                return $0.service.rawValue < $1.service.rawValue
            }
            return $0.account.utf8.lexicographicallyPrecedes($1.account.utf8)
        }
    }
}
