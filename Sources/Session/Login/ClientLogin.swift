package import Access

/// The answer to a login.
package enum AuthenticationOutcome: Sendable {
    /// - Parameters:
    ///   - account: the account to show as personal, where the login named one.
    ///   - profiles: what is known already of the servers; nil for one that failed just now.
    case accepted(UserID, account: AccountID?, profiles: [AccountID: UpstreamProfile?])
    /// The check itself has recorded it.
    case refused
    /// More logins wait for their check than can; the check itself has recorded it.
    case overloaded
    /// The password is right, and the user has as many connections as may be.
    case tooManyConnections
}

/// The login of one client connection, whatever protocol it speaks: how much it may send and how often it may fail
/// before, who it is, and what the audit log has of that. The words of the answers belong to the protocol.
struct ClientLogin {
    /// Logins that may fail on one connection (RFC 9051 §11.7 leaves the number open).
    static let maximumFailures = 3
    /// Octets of all commands before login; greeting, capabilities, STARTTLS and login are some hundreds.
    static let maximumOctets = 16 * 1_024

    /// What the client is told.
    enum Answer {
        case accepted(account: AccountID?, profiles: [AccountID: UpstreamProfile?])
        case failed
        case overloaded
        case tooManyConnections
    }

    /// What a login led to.
    struct Result {
        var answer: Answer
        /// For the audit log, before the answer.
        var event: AuditEvent?
        /// Whether too many have failed: the connection ends behind the answer.
        var endsConnection = false
    }

    /// Who is logged in.
    private(set) var user: UserID?
    private var failures = 0
    private var octets = 0

    /// Counts octets of commands before login.
    /// - Returns: whether there were not too many.
    mutating func octetsReceived(_ count: Int) -> Bool {
        self.octets += count
        return self.octets <= Self.maximumOctets
    }

    /// The password was checked.
    /// - Parameter mayOpen: whether the user may open the account that the login named.
    mutating func checked(
        _ outcome: AuthenticationOutcome,
        in snapshot: Snapshot,
        mayOpen: Bool
    ) -> Result {
        switch outcome {
        case .accepted(let user, let account, let profiles):
            // Whoever may not see an account is told what everybody is told who gets something wrong.
            guard snapshot.isEnabled(user), mayOpen else { return self.refused() }
            self.user = user
            return Result(
                answer: .accepted(account: account, profiles: profiles),
                event: AuditEvent("login")
            )
        case .refused:
            return self.failed(event: nil)
        case .overloaded:
            return Result(answer: .overloaded)
        case .tooManyConnections:
            return Result(answer: .tooManyConnections, event: .tooManyConnections)
        }
    }

    /// A login that is refused without a check of its password, or after it.
    mutating func refused() -> Result {
        var event = AuditEvent("login")
        event.outcome = .refused
        return self.failed(event: event)
    }

    private mutating func failed(event: AuditEvent?) -> Result {
        self.failures += 1
        return Result(
            answer: .failed,
            event: event,
            endsConnection: self.failures >= Self.maximumFailures
        )
    }
}
