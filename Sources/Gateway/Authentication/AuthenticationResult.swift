import Access

/// What a login comes to.
enum AuthenticationResult: Sendable {
    /// - account: the one that `LOGIN/ACCOUNT` names.
    case accepted(UserID, account: AccountID?)
    case refused
    /// More logins wait for their check than can.
    case overloaded
}
