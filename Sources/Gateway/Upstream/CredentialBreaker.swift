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

    private struct Key: Hashable {
        var account: AccountID
        var service: CredentialService
    }

    private struct State {
        var circuits = CredentialCircuits()
        /// Logins that wait for the verdict on another one.
        var waiting: [Key: [EventLoopPromise<Void>]] = [:]
    }

    /// Tokens that are refused once are fetched anew for the next login.
    private static let toleratedTokenRefusals = 1

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
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
    /// - Returns: fails with ``Suspended`` where the credential rests.
    func attempt(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        on loop: any EventLoop
    ) -> EventLoopFuture<Attempt> {
        let promise = loop.makePromise(of: Void.self)
        let admission = self.state.withLock { state in
            let admission = state.circuits.admit(account, service, at: .now())
            if admission == .waits {
                let key = Key(account: account.id, service: service)
                state.waiting[key, default: []].append(promise)
            }
            return admission
        }
        switch admission {
        case .admitted:
            promise.succeed()
            return loop.makeSucceededFuture(Attempt(self, account, service))
        case .suspended:
            promise.succeed()
            return loop.makeFailedFuture(Suspended())
        case .waits:
            // Without a verdict the next one tries alone, and the others wait again.
            return promise.futureResult.flatMap { self.attempt(account, service, on: loop) }
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
        self.release(account, service)
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
        self.release(account, service)
    }

    fileprivate func ended(_ account: UpstreamAccount, _ service: CredentialService) {
        self.state.withLock { $0.circuits.ended(account, service) }
        self.release(account, service)
    }

    private func release(_ account: UpstreamAccount, _ service: CredentialService) {
        let key = Key(account: account.id, service: service)
        let waiting = self.state.withLock { $0.waiting.removeValue(forKey: key) ?? [] }
        for promise in waiting { promise.succeed() }
    }

    // MARK: - For administrators

    /// The credentials that rest now, of accounts that are in the store.
    func suspended(_ accounts: some Collection<UpstreamAccount>) -> [SuspendedCredential] {
        let now = NIODeadline.now()
        return self.state.withLock { state in
            state.circuits.keep(Set(accounts.map(\.id)))
            return accounts.flatMap { account in
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
    /// Takes note of what a login of the command line found.
    /// - Returns: the credentials that rest now.
    func answer(_ request: ControlMessage.CredentialRequest) -> [SuspendedCredential] {
        let accounts = self.permissions.current.endpoints.values
        if let verdict = request.verdict,
            let account = accounts.first(where: { $0.address == verdict.account })
        {
            self.credentialBreaker.adopt(account, verdict.service)
            if verdict.isAccepted {
                self.credentialBreaker.accepted(account, verdict.service)
            } else {
                self.credentialBreaker.refused(account, verdict.service)
            }
        }
        return self.credentialBreaker.suspended(accounts).sorted {
            ($0.account, $0.service.rawValue) < ($1.account, $1.service.rawValue)
        }
    }
}
