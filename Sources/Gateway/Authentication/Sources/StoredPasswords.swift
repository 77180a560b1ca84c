import Access
import Store

/// The passwords of users in the store (`gatepost user password`), as scrypt hashes.
struct StoredPasswords: AuthenticationSource {
    let name = AuthenticationSourceName.gateway
    /// Each check needs 32 MiB and 0.1 s of a core; more checks at once would starve the event loops.
    let threads = 2

    /// - Returns: nil for a user without a password in the store.
    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard let record = permissions.passwords[claim.user.id] else { return nil }
        let password = claim.shortened
        return SourceCheck(
            subject: Self.basis(of: record),
            basis: Self.basis(of: record),
            isExtended: true,
            kept: PasswordClaim(user: claim.user, password: password, record: record)
        ) {
            record.hash.verify(password) ? .verified : .refused()
        }
    }

    /// What a verdict about a password in the store depends on.
    static func basis(of record: PasswordRecord) -> [UInt8] {
        Array("gateway \(record.version)".utf8)
    }
}
