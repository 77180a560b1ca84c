import Access
import SASL
import Session
import Store

/// A source that verifies logins: the passwords in the store, an account's mail server, a directory, or
/// the issuers of access tokens.
///
/// What is common to all sources is in ``Authenticator``: the queue of checks, the delay of refusals,
/// remembered logins and the audit record. A source only says whether credentials are right. What a
/// user may do is decided by the store, so a login that no user of the store has is never asked for.
protocol AuthenticationSource: Sendable {
    /// The name in the configuration, in the log and in audit records.
    var name: AuthenticationSourceName { get }
    /// Checks that run at once, each on a thread of this source.
    var threads: Int { get }

    /// Prepares the check of a login. Called on an event loop; must not block.
    /// - Parameter permissions: the snapshot that the login is judged by. A check that waits must not
    ///   hold it.
    /// - Returns: nil if the login is not one of this source.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck?
    /// Ends requests that run, as far as possible: the gateway stops.
    func stop()
}

extension AuthenticationSource {
    func stop() {}
}

/// The names of all sources, as the configuration has them.
package enum AuthenticationSourceName: String, CaseIterable, Sendable {
    /// The password hashes in the store.
    case gateway
    /// The IMAP server of the account that the user owns.
    case upstream
    /// An LDAP directory, or Active Directory.
    case ldap
    /// Access tokens of OAuth issuers.
    case oauth

    /// Whether the source checks access tokens; the others check passwords.
    package var takesTokens: Bool { self == .oauth }
}

/// What a client sent to log in, with the enabled user of that login.
struct LoginClaim: Sendable {
    let user: User
    /// The password, or its hash if it is longer: at most 64 octets (``PasswordHash/shortened(_:)``).
    /// Nil for a token.
    let shortened: [UInt8]?
    /// The password as the client sent it; nil if it is longer than ``maximumOctets``, because
    /// thousands of logins may wait, and for a token.
    let password: Secret<[UInt8]>?
    /// The access token; nil for a password.
    let token: Secret<[UInt8]>?
    /// Where the login comes from.
    let network: Network
    /// Whether a login of the user succeeded recently from this network.
    let isKnownNetwork: Bool

    /// Octets of a password that is sent to another server.
    static let maximumOctets = 256

    init(user: User, proof: Credentials.Proof, network: Network, isKnownNetwork: Bool) {
        self.user = user
        switch proof {
        case .password(let password):
            self.shortened = PasswordHash.shortened(password.value)
            self.password = password.value.count <= Self.maximumOctets ? password : nil
            self.token = nil
        case .token(let token):
            (self.shortened, self.password, self.token) = (nil, nil, token)
        }
        self.network = network
        self.isKnownNetwork = isKnownNetwork
    }
}

/// The check of one login by one source.
struct SourceCheck: Sendable {
    /// What must not change while the check waits and runs: the stored password, or the mailbox and its
    /// server. Another source has another subject.
    var subject: [UInt8]
    /// What the verdict depends on besides the login and the password. A login that was remembered
    /// with another basis counts for nothing.
    var basis: [UInt8]
    /// Whether each use of a remembered login extends its time. Not for a source whose passwords
    /// change without the gateway: a phone would keep an old one in use for good.
    var isExtended = false
    /// The claim that may be kept across a restart; nil for a source whose verdicts are remembered
    /// for minutes only.
    var kept: PasswordClaim?
    /// Whether a right login is remembered. Not if the check is as cheap as the memory, or if the login has
    /// an end of its own.
    var isRemembered = true
    /// The octets of a claim by which it is remembered. Another source than the store accepts no hash in
    /// the place of a long password.
    func remembered(of claim: LoginClaim) -> [UInt8]? {
        guard self.isRemembered else { return nil }
        return self.kept == nil ? claim.password?.value : claim.shortened
    }

    /// Checks the password. Blocks for a limited time; called on a thread of the source.
    var run: @Sendable () -> SourceVerdict
}

/// The answer of a source.
enum SourceVerdict: Equatable, Sendable {
    /// - Parameter end: what ends the session before its user does.
    case verified(LoginEnd = .none)
    /// The password is wrong, or was not tried because too many were. No other source is asked.
    /// - Parameter detail: for the audit record; nil if there is nothing to add.
    case refused(detail: String? = nil)
    /// The source does not know the login. The next source is asked.
    case notMine
    /// The source cannot answer now. No other source is asked, because it may be a weaker one.
    /// - Parameter reason: for the log and the audit record; contains no text of a client.
    case unavailable(reason: String)
}
