import Access
import Store

/// The password that a client sent for an enabled user, with the record that it is judged by.
struct PasswordClaim: Sendable {
    let user: UserID
    /// The user's login as the store has it.
    let name: [UInt8]
    /// At most 64 octets (``PasswordHash/shortened(_:)``).
    let password: [UInt8]
    let record: PasswordRecord

    /// - Parameter password: at most 64 octets (``PasswordHash/shortened(_:)``).
    init(user: User, password: [UInt8], record: PasswordRecord) {
        self.user = user.id
        self.name = user.login.octets
        self.password = password
        self.record = record
    }
}
