import NIOCore

/// How long a connection may take to log in, and stay silent after that.
struct SessionClock {
    private let beforeLogin: TimeAmount
    private let afterLogin: TimeAmount
    private var lastActivity = NIODeadline.now()

    /// Before login the time runs from the connection's start, so that a slow drip of octets
    /// does not stretch it; after login from the last octet of the client.
    var loggedIn = false {
        didSet { self.lastActivity = .now() }
    }

    init(limits: GatewayConfiguration.Limits) {
        self.beforeLogin = limits.loginTimeout
        self.afterLogin = limits.idleTimeout
    }

    private var limit: TimeAmount { self.loggedIn ? self.afterLogin : self.beforeLogin }

    mutating func touch() {
        if self.loggedIn { self.lastActivity = .now() }
    }

    var isExpired: Bool { NIODeadline.now() >= self.lastActivity + self.limit }

    var untilNextCheck: TimeAmount {
        max(.seconds(1), self.lastActivity + self.limit - .now())
    }
}
