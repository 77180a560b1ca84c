import Access

/// The outcome of a client's login.
enum AuthenticationResult: Sendable {
    /// The password is right and the account, if one is named, may be opened.
    /// - account: the account that the login name selects (`LOGIN/ACCOUNT`); nil for a plain login.
    case accepted(UserID, account: AccountID?)
    /// The login, the password or the account is wrong. The client cannot tell which.
    case refused
    /// The queue of password checks is full. The password was not checked; the client may try
    /// again.
    case overloaded
    /// The source of the login cannot be asked now. The password was not checked; the client may try
    /// again.
    case unavailable
}
