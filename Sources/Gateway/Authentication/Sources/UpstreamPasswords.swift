import Access
import Cryptography
import NIOCore
import SASL
import Session
import Store
import Synchronization

/// The passwords that mail servers know: a login is right if the IMAP server of the account that the
/// user owns accepts it.
///
/// A server that is asked too often locks the account, or blocks the gateway's address. So a wrong
/// password is sent once, and ``UpstreamAttempts`` counts more strictly than servers do.
///
/// Safe to use from any thread.
final class UpstreamPasswords: AuthenticationSource {
    /// The outcome of a login at a server.
    typealias Verifier = @Sendable (UpstreamAccount, UpstreamCredential) -> SourceVerdict

    /// The longest time of a check: connecting, the login and the answers after it.
    static let longestCheck = TimeAmount.seconds(30)

    let name = AuthenticationSourceName.upstream
    /// Threads that wait for servers. All of one server that hangs are busy for ``longestCheck``.
    let threads = 32

    private let verifier: Verifier
    /// Nil if passwords are not stored as credentials.
    private let learner: CredentialLearner?
    private let attempts = Mutex(UpstreamAttempts())
    /// The key of remembered wrong passwords: random, and only in the memory of this process.
    private let key = SymmetricKey()
    private let now: @Sendable () -> NIODeadline

    /// - Parameters:
    ///   - learner: stores a password that a server accepted; nil stores none.
    ///   - now: the clock; a test replaces it.
    ///   - verifier: logs in at a server. Blocks for at most ``longestCheck``.
    init(
        learner: CredentialLearner?,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        verifier: @escaping Verifier
    ) {
        self.learner = learner
        self.now = now
        self.verifier = verifier
    }

    /// - Returns: nil for a user who owns no enabled account at an IMAP server. An Exchange account has
    ///   none whose password opens it: Exchange Online refuses passwords.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard let id = permissions.access.accountOfLogin(of: claim.user.id),
            let account = permissions.endpoints[id], account.kind == .imap
        else { return nil }
        // With another server or user name, or once the stored credential fails, the server is asked. The
        // version tells one missing credential from a later one.
        let needsCredential = self.learner?.needsCredential(account) ?? false
        let lacking = needsCredential ? "without \(account.credentialVersion)" : ""
        let server = account.imap
        let basis =
            "upstream \(id.rawValue) \(server.host) \(server.port) \(server.tls.rawValue) "
            + "\(server.caFile ?? "") \(lacking) \(account.username)"
        return SourceCheck(basis: Array(basis.utf8)) { [self] in
            self.verify(claim, account: account, needsCredential: needsCredential)
        }
    }

    /// Asks the server, unless the password is known to be wrong or too many were wrong.
    private func verify(
        _ claim: LoginClaim,
        account: UpstreamAccount,
        needsCredential: Bool
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
            user: claim.user.id,
            network: claim.network,
            isKnownNetwork: claim.isKnownNetwork,
            mark: HMACSHA256.code(for: password.value, key: self.key)
        )
        switch self.attempts.withLock({ $0.begin(attempt, at: self.now()) }) {
        case .permitted: break
        case .knownWrong: return .refused()
        case .tooMany:
            return .refused(
                detail: "too many wrong passwords: the mail server was not asked"
            )
        }
        let verdict = self.verifier(account, credential)
        self.attempts.withLock { $0.end(attempt, verdict: verdict, at: self.now()) }
        if verdict == .verified, needsCredential {
            self.learner?.learn(Secret(text), of: account, by: claim)
        }
        return verdict
    }
}
