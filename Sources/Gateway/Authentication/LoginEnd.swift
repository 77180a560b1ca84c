import Access
import Store

/// What ends a session that a user has logged in to, besides the user.
struct LoginEnd: Equatable, Sendable {
    /// When the credential expires; nil if it does not.
    var expires: Moment?
    /// The app password that the client has; nil for another credential.
    var appPassword: AppPasswordID?

    /// The session lasts as long as the user wants.
    static let none = LoginEnd()

    /// Whether the session must end.
    func isReached(at now: Moment, in permissions: StoreSnapshot, user: UserID) -> Bool {
        if let expires, now >= expires { return true }
        guard let id = self.appPassword else { return false }
        return !permissions.appPasswords(of: user).contains { $0.id == id }
    }
}
