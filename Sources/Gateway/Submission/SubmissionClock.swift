import NIOCore

/// When a submitting client, or its server, was silent too long.
struct SubmissionClock {
    /// RFC 5321 §4.5.3.2.7 asks for five minutes at least.
    private static let idle = TimeAmount.minutes(5)
    /// RFC 5321 §4.5.3.2.6 gives a server ten minutes to take a message.
    private static let upstream = TimeAmount.minutes(10)
    private static let checkInterval = TimeAmount.seconds(30)

    private let beforeLogin: TimeAmount
    private var lastActivity = NIODeadline.now()

    /// Before login the time runs from the connection's start.
    var isLoggedIn = false {
        didSet { self.lastActivity = .now() }
    }

    init(limits: GatewayConfiguration.Limits) {
        self.beforeLogin = limits.loginTimeout
    }

    mutating func touch() {
        if self.isLoggedIn { self.lastActivity = .now() }
    }

    private var limit: TimeAmount { self.isLoggedIn ? Self.idle : self.beforeLogin }

    var isExpired: Bool { NIODeadline.now() >= self.lastActivity + self.limit }

    var isUpstreamExpired: Bool { NIODeadline.now() >= self.lastActivity + Self.upstream }

    var untilNextCheck: TimeAmount {
        min(Self.checkInterval, max(.seconds(1), self.lastActivity + self.limit - .now()))
    }
}
