import Access

/// The login on a client's connection, for IMAP and submission: how many octets and failures are
/// allowed before it, who the user is, and which audit events it causes. The protocol adds the
/// texts of the answers.
struct ClientLogin {
    /// Failed logins on one connection (RFC 9051 §11.7 leaves the number open).
    static let maximumFailures = 3

    /// The answer to the client.
    enum Answer {
        case accepted(account: AccountID?, profiles: [AccountID: UpstreamProfile?])
        case failed
        case overloaded
        case unavailable
        case tooManyConnections
    }

    /// The consequences of a login.
    struct Result {
        var answer: Answer
        /// The audit event, recorded before the answer is sent; nil if there is none.
        var event: AuditEvent?
        /// Whether the connection ends after the answer, because too many logins failed.
        var endsConnection = false
    }

    /// What the client may log in with.
    let methods: LoginMethods
    /// The user who is logged in.
    private(set) var user: UserID?
    /// Failed logins so far.
    private var failures = 0
    /// Octets of commands so far.
    private var octets = 0

    init(methods: LoginMethods = LoginMethods()) {
        self.methods = methods
    }

    /// Counts octets of commands before login.
    /// - Returns: false above the limit.
    mutating func octetsReceived(_ count: Int) -> Bool {
        self.octets += count
        return self.octets <= self.methods.maximumOctets
    }

    /// The check of the password has finished.
    /// - Parameter mayOpen: whether the user may open the account that the login named.
    mutating func checked(
        _ outcome: AuthenticationOutcome,
        in snapshot: Snapshot,
        mayOpen: Bool
    ) -> Result {
        switch outcome {
        case .accepted(let user, let account, let profiles):
            // The answer does not reveal that the account exists: it is the same as for a wrong
            // password.
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
        case .unavailable:
            return Result(answer: .unavailable)
        case .tooManyConnections:
            return Result(answer: .tooManyConnections, event: .tooManyConnections)
        }
    }

    /// A login that is refused for another reason than its password.
    mutating func refused() -> Result {
        var event = AuditEvent("login")
        event.outcome = .refused
        return self.failed(event: event)
    }

    /// Counts a failed login.
    private mutating func failed(event: AuditEvent?) -> Result {
        self.failures += 1
        return Result(
            answer: .failed,
            event: event,
            endsConnection: self.failures >= Self.maximumFailures
        )
    }
}
