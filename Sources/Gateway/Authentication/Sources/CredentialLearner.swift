import Access
import Logging
import SASL
import Store

/// Stores passwords that mail servers accepted as the credentials of their accounts, so that a mailbox
/// can be shared after the first login of its owner.
///
/// A stored credential that works is not replaced: an administrator may have set another one than the
/// owner's.
final class CredentialLearner: Sendable {
    private let store: PermissionStore
    private let masterKey: MasterKey
    /// Receives the changed snapshot.
    private let permissions: CurrentPermissions
    /// Knows the stored credentials that a server refused.
    private let breaker: CredentialBreaker
    private let logger: Logger

    init(
        store: PermissionStore,
        masterKey: MasterKey,
        permissions: CurrentPermissions,
        breaker: CredentialBreaker,
        logger: Logger
    ) {
        self.store = store
        self.masterKey = masterKey
        self.permissions = permissions
        self.breaker = breaker
        self.logger = logger
    }

    /// Whether an account has no credential, or one that a server refused since it last accepted it.
    func needsCredential(_ account: UpstreamAccount) -> Bool {
        account.sealedPassword == nil || self.breaker.hasRefused(account)
    }

    /// Whether the stored credential is this password.
    private func stores(_ password: Secret<String>, of account: UpstreamAccount) -> Bool {
        let stored = try? self.masterKey.credential(of: account).password
        return stored == Array(password.value.utf8)
    }

    /// Stores a password that the account's IMAP server has just accepted, if the account needs one.
    /// Blocks until it is in force, because the session that begins now needs it. A failure is logged; the login is not refused.
    /// - Parameters:
    ///   - account: the server that accepted the password, as it was then.
    ///   - claim: the owner's login.
    func learn(_ password: Secret<String>, of account: UpstreamAccount, by claim: LoginClaim) {
        guard self.needsCredential(account) else { return }
        // The server refused it for a moment only: it may be used again at once.
        if self.stores(password, of: account) {
            return self.breaker.accepted(account, service: .imap)
        }
        // Do not write to a store that is refused: the change would not be in force.
        guard !self.permissions.isRestricted(by: .store) else { return }
        do {
            let isLearnt = try self.store.learnPassword(
                password,
                of: account,
                owner: claim.user.id,
                masterKey: self.masterKey,
                from: claim.network.description
            )
            guard isLearnt else { return }
            let published = self.permissions.published
            let next = try self.store.loadNext(self.masterKey, after: published)
            self.permissions.replace(with: next)
        } catch {
            self.logger.error(
                "cannot store the password that a mail server accepted as the credential of the account",
                metadata: ["account": "\(account.address)", "error": "\(error)"]
            )
        }
    }
}
