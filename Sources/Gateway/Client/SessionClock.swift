import NIOCore

/// Measures the time that a client takes to log in, and its silence after that. Pure: time is a
/// parameter.
struct SessionClock {
    /// The shortest time between two checks.
    private static let minimumCheckInterval = TimeAmount.seconds(1)

    /// `limits.loginSeconds`.
    private let beforeLogin: TimeAmount
    /// `limits.idleMinutes` for IMAP; a constant for submission.
    private let afterLogin: TimeAmount
    /// Nil for a check at the end of the time only.
    private let maximumCheckInterval: TimeAmount?
    /// When the present time began: with the connection, a login's answer, or the last octets after
    /// the login.
    private var lastActivity: NIODeadline
    /// When the check of a login ends at the latest; nil without one. Until then the client waits for
    /// the gateway, so the time before the login does not run.
    private var checkEnd: NIODeadline?
    /// Whether a login has succeeded.
    private(set) var isLoggedIn = false
    /// When the client's present message must be complete; nil without one.
    var limit: NIODeadline?
    /// Whether the client waits for a server, which does not count as silence.
    var isSuspended = false

    /// - Parameters:
    ///   - beforeLogin: the time from the connection to the login.
    ///   - afterLogin: how long a client may be silent after the login.
    ///   - checkInterval: the longest time between two checks; nil for no limit.
    init(
        beforeLogin: TimeAmount,
        afterLogin: TimeAmount,
        checkInterval: TimeAmount? = nil,
        at now: NIODeadline
    ) {
        self.beforeLogin = beforeLogin
        self.afterLogin = afterLogin
        self.maximumCheckInterval = checkInterval
        self.lastActivity = now
    }

    /// The client sent or took octets. Before the login the time continues, so single octets do not
    /// extend it.
    mutating func touch(at now: NIODeadline) {
        if self.isLoggedIn { self.lastActivity = now }
    }

    /// The check of a login began.
    /// - Parameter limit: the longest time until its answer.
    mutating func loginBegan(answerWithin limit: TimeAmount, at now: NIODeadline) {
        self.checkEnd = now + limit
    }

    /// A login was answered. The time begins again: the delay of a refusal is not the client's.
    mutating func loginAnswered(isLoggedIn: Bool, at now: NIODeadline) {
        self.isLoggedIn = isLoggedIn
        self.checkEnd = nil
        self.lastActivity = now
    }

    /// When the client has been silent, or slow, for too long.
    private var end: NIODeadline {
        if let checkEnd = self.checkEnd { return checkEnd }
        let end = self.lastActivity + (self.isLoggedIn ? self.afterLogin : self.beforeLogin)
        return self.limit.map { min($0, end) } ?? end
    }

    /// Whether the client has been silent, or slow, for too long.
    func isExpired(at now: NIODeadline) -> Bool { !self.isSuspended && now >= self.end }

    /// The time until the next check.
    func untilNextCheck(at now: NIODeadline) -> TimeAmount {
        let time = max(Self.minimumCheckInterval, self.end - now)
        return self.maximumCheckInterval.map { min($0, time) } ?? time
    }
}
