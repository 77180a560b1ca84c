import Access
import NIOCore
import SASL
import Session
import Store

/// The passwords that mail servers know: a login is right if the IMAP server of the user's mailbox
/// accepts it.
///
/// Safe to use from any thread.
final class UpstreamPasswords: AuthenticationSource {
    typealias Verifier = @Sendable (UpstreamAccount, UpstreamCredential) -> UpstreamAnswer

    let name = AuthenticationSourceName.upstream
    /// Threads that wait for servers.
    let threads = PasswordQuestions.threads

    private let verifier: Verifier
    /// Nil if passwords are not stored as credentials.
    private let learner: CredentialLearner?
    private let questions: PasswordQuestions

    /// - Parameters:
    ///   - learner: stores a password that a server accepted; nil stores none.
    ///   - now: the clock; a test replaces it.
    ///   - verifier: logs in at a server. Blocks for at most ``PasswordQuestions/longestQuestion``.
    init(
        learner: CredentialLearner?,
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        verifier: @escaping Verifier
    ) {
        self.learner = learner
        self.questions = PasswordQuestions(now: now)
        self.verifier = verifier
    }

    /// - Returns: nil for a user without an enabled account at an IMAP server
    ///   (``Snapshot/accountOfLogin(of:)``). An Exchange account counts for nothing: Exchange Online
    ///   refuses passwords.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard claim.token == nil, let account = Self.account(of: claim.user, in: permissions)
        else { return nil }
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
        let verdict = self.questions.ask(
            claim,
            password: password,
            subject: subject,
            server: "\(account.imap.host):\(account.imap.port)"
        ) {
            self.verifier(account, credential)
        }
        guard case .verified = verdict else { return verdict }
        self.learner?.learn(Secret(text), of: account, by: claim)
        return verdict
    }
}
