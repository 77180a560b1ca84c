import Access
import Cryptography
import Foundation
import NIOCore
import SASL
import Session
import Store
import Synchronization

/// The passwords that mail servers know: a login is right if the IMAP server of the user's mailbox
/// accepts it.
///
/// A server that is asked too often locks the mailbox, or blocks the gateway's address. So a wrong
/// password is sent once, and ``UpstreamAttempts`` limits how many are sent at all.
///
/// Safe to use from any thread.
final class UpstreamPasswords: AuthenticationSource {
    typealias Verifier = @Sendable (UpstreamAccount, UpstreamCredential) -> UpstreamAnswer

    /// The longest time of a login at a server: connecting, the login and the answers after it.
    static let longestLogin = TimeAmount.seconds(30)
    /// The longest time of a check: the wait for an equal check, and the login.
    static let longestCheck = UpstreamPasswords.longestLogin + UpstreamPasswords.longestLogin
    /// How often a check that waits looks whether it may go on, in seconds.
    private static let waitingInterval = 0.05

    /// Checks of one mailbox that wait for others of the same mailbox. Each occupies a thread.
    fileprivate static let maximumWaiting = 2

    fileprivate struct State {
        var attempts = UpstreamAttempts()
        var servers = UpstreamServers()
        /// Checks that wait, by their mailbox.
        var waiting: [UpstreamAttempts.Target: Int] = [:]
    }

    let name = AuthenticationSourceName.upstream
    /// Threads that wait for servers.
    let threads = 32

    private let verifier: Verifier
    /// Nil if passwords are not stored as credentials.
    private let learner: CredentialLearner?
    private let state = Mutex(State())
    /// The key of the passwords that were sent: random, and only in the memory of this process.
    private let key = SymmetricKey()
    private let now: @Sendable () -> NIODeadline

    /// - Parameters:
    ///   - learner: stores a password that a server accepted; nil stores none.
    ///   - now: the clock; a test replaces it.
    ///   - verifier: logs in at a server. Blocks for at most ``longestLogin``.
    init(
        learner: CredentialLearner?,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        verifier: @escaping Verifier
    ) {
        self.learner = learner
        self.now = now
        self.verifier = verifier
    }

    /// - Returns: nil for a user without an enabled account at an IMAP server
    ///   (``Snapshot/accountOfLogin(of:)``). An Exchange account counts for nothing: Exchange Online
    ///   refuses passwords.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard let account = Self.account(of: claim.user, in: permissions) else { return nil }
        let server = account.imap
        let subject =
            Array(
                "upstream \(account.id.rawValue) \(server.host) \(server.port) \(server.tls.rawValue) "
                    .utf8
            ) + Array("\(server.caFile ?? "") \(account.username)".utf8)
        // Once the stored credential fails, the server is asked. The version tells one missing
        // credential from a later one.
        let needsCredential = self.learner?.needsCredential(account) ?? false
        let missing = needsCredential ? " without \(account.credentialVersion)" : ""
        return SourceCheck(subject: subject, basis: subject + Array(missing.utf8)) { [self] in
            self.verify(claim, account: account, subject: subject)
        }
    }

    /// The account whose server is asked for a user's password; nil for none.
    static func account(of user: User, in permissions: StoreSnapshot) -> UpstreamAccount? {
        let account = permissions.access.accountOfLogin(of: user.id)
            .flatMap { permissions.endpoints[$0] }
        return account.flatMap { $0.kind == .imap ? $0 : nil }
    }

    /// Asks the server, unless the password is known to be wrong or too many were wrong.
    private func verify(
        _ claim: LoginClaim,
        account: UpstreamAccount,
        subject: [UInt8]
    ) -> SourceVerdict {
        // Also refuses an empty password, which some servers take for an anonymous login.
        guard let password = claim.password,
            let text = String(validating: password.value, as: UTF8.self),
            let credential = try? UpstreamCredential(
                user: account.username,
                proof: .password(password)
            )
        else { return .refused(detail: "the mail server cannot be sent such a password") }
        let attempt = UpstreamAttempts.Attempt(
            target: UpstreamAttempts.Target(user: claim.user.id, server: subject),
            network: claim.network,
            isKnownNetwork: claim.isKnownNetwork,
            mark: HMACSHA256.code(for: password.value, key: self.key)
        )
        if let verdict = self.begin(attempt) { return verdict }
        switch self.ask(account, credential: credential, attempt: attempt) {
        case .accepted:
            self.learner?.learn(Secret(text), of: account, by: claim)
            return .verified
        case .refused:
            return .refused()
        case .unanswered(let reason), .notAsked(let reason):
            return .unavailable(reason: reason)
        }
    }

    /// Waits until the attempt may be made.
    /// - Returns: the verdict without a question to the server; nil if the server has to be asked.
    private func begin(_ attempt: UpstreamAttempts.Attempt) -> SourceVerdict? {
        let end = self.now() + Self.longestLogin
        var isWaiting = false
        defer { if isWaiting { self.state.withLock { $0.leave(attempt.target) } } }
        while true {
            switch self.state.withLock({ $0.attempts.begin(attempt, at: self.now()) }) {
            case .permitted:
                return nil
            case .knownWrong:
                return .refused(detail: "the mail server refused this password before")
            case .tooMany:
                return .refused(
                    detail: "too many wrong passwords: the mail server was not asked"
                )
            case .unanswered:
                return .unavailable(reason: "the mail server did not answer other logins")
            case .busy:
                if !isWaiting { isWaiting = self.state.withLock { $0.wait(for: attempt.target) } }
                guard isWaiting, self.now() < end else {
                    return .unavailable(
                        reason: "the mail server has not answered other logins yet"
                    )
                }
                Thread.sleep(forTimeInterval: Self.waitingInterval)
            }
        }
    }

    /// Asks the server, unless it hangs or could not be asked a moment ago.
    private func ask(
        _ account: UpstreamAccount,
        credential: UpstreamCredential,
        attempt: UpstreamAttempts.Attempt
    ) -> UpstreamAnswer {
        let server = "\(account.imap.host):\(account.imap.port)"
        var began = self.now()
        var permission = self.state.withLock {
            $0.servers.begin(server, isKnownNetwork: attempt.isKnownNetwork, at: began)
        }
        while permission == .wait {
            Thread.sleep(forTimeInterval: Self.waitingInterval)
            began = self.now()
            permission = self.state.withLock {
                $0.servers.begin(server, isKnownNetwork: attempt.isKnownNetwork, at: began)
            }
        }
        if case .failed(let reason) = permission {
            let answer = UpstreamAnswer.notAsked(reason: reason)
            self.state.withLock { $0.attempts.end(attempt, answer: answer, at: began) }
            return answer
        }
        let answer = self.verifier(account, credential)
        let now = self.now()
        self.state.withLock { state in
            state.attempts.end(attempt, answer: answer, at: now)
            state.servers.end(server, began: began, answer: answer, at: now)
        }
        return answer
    }
}

extension UpstreamPasswords.State {
    /// Counts a check that waits for others of its mailbox.
    /// - Returns: false if too many wait.
    fileprivate mutating func wait(for target: UpstreamAttempts.Target) -> Bool {
        guard self.waiting[target, default: 0] < UpstreamPasswords.maximumWaiting else {
            return false
        }
        self.waiting[target, default: 0] += 1
        return true
    }

    /// A check waits no more.
    fileprivate mutating func leave(_ target: UpstreamAttempts.Target) {
        let count = self.waiting[target, default: 1] - 1
        self.waiting[target] = count > 0 ? count : nil
    }
}
