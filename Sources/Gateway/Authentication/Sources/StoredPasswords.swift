import Access
import SASL
import Store

/// The passwords of users in the store: the one of `gatepost user password` as a scrypt hash, and app
/// passwords.
struct StoredPasswords: AuthenticationSource {
    let name = AuthenticationSourceName.gateway
    /// Each check needs 32 MiB and 0.1 s of a core; more checks at once would starve the event loops.
    let threads = 2
    /// Records when an app password was used; returns at once.
    var noteUse: (@Sendable (AppPasswordID) -> Void)?

    /// - Returns: nil for a user without a password in the store.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard let password = claim.shortened else { return nil }
        guard let record = permissions.passwords[claim.user.id] else { return nil }
        return SourceCheck(
            subject: Self.basis(of: record),
            basis: Self.basis(of: record),
            isExtended: true,
            kept: PasswordClaim(user: claim.user, password: password, record: record)
        ) {
            record.hash.verify(password) ? .verified() : .refused()
        }
    }

    /// The check of a password that is one of the user's app passwords; nil for any other. A hash of a
    /// random password takes microseconds.
    func checkOfAppPassword(
        of claim: LoginClaim,
        in permissions: StoreSnapshot
    ) -> SourceCheck? {
        let stored = permissions.appPasswords(of: claim.user.id)
        guard !stored.isEmpty, let secret = claim.password.flatMap({ AppPassword($0.value) }),
            let found = stored.first(where: { secret.matches($0.digest) })
        else { return nil }
        let subject = Array("app password \(found.id.rawValue)".utf8)
        return SourceCheck(subject: subject, basis: subject, isRemembered: false) {
            if let expires = found.expires, expires <= .current {
                return .refused(detail: "the app password has expired")
            }
            self.noteUse?(found.id)
            return .verified(LoginEnd(expires: found.expires, appPassword: found.id))
        }
    }

    /// What a verdict about a password in the store depends on.
    static func basis(of record: PasswordRecord) -> [UInt8] {
        Array("gateway \(record.version)".utf8)
    }
}
