package import Access

/// The result of checking a client's password.
package enum AuthenticationOutcome: Sendable {
    /// The password is right.
    /// - Parameters:
    ///   - account: the account that the login named, to be shown as the personal one; nil if it
    ///     named none.
    ///   - profiles: the known profiles of servers; nil for a server that failed a moment ago.
    case accepted(UserID, account: AccountID?, profiles: [AccountID: UpstreamProfile?])
    /// The password is wrong. The check has written the audit record.
    case refused
    /// Too many logins wait for their check. The check has written the audit record.
    case overloaded
    /// The source that knows the password cannot be asked now. The check has written the audit record.
    case unavailable
    /// The password is right, but the user has the maximum number of connections.
    case tooManyConnections
}
