import NIOCore

/// How long a client may take to log in, and stay silent after that.
struct SessionClock {
    private static let minimumCheckInterval = TimeAmount.seconds(1)

    private let beforeLogin: TimeAmount
    private let afterLogin: TimeAmount
    private let maximumCheckInterval: TimeAmount?
    private var lastActivity: NIODeadline
    private(set) var isLoggedIn = false
    /// When what the client is in the middle of has to be over.
    var limit: NIODeadline?
    /// Whether the client waits for a server: it is not silent then.
    var isSuspended = false

    /// - Parameters:
    ///   - afterLogin: how long a client that is logged in may be silent.
    ///   - checkInterval: the longest time between two looks at the clock.
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

    /// The client sent or took octets. Before login the time runs on, so that a slow drip of octets does not
    /// stretch it.
    mutating func touch(at now: NIODeadline) {
        if self.isLoggedIn { self.lastActivity = now }
    }

    /// A login was answered; the answer to a wrong one is late, which is no fault of the client's.
    mutating func loginAnswered(isLoggedIn: Bool, at now: NIODeadline) {
        self.isLoggedIn = isLoggedIn
        self.lastActivity = now
    }

    /// When the client has been silent, or slow, for too long.
    private var end: NIODeadline {
        let end = self.lastActivity + (self.isLoggedIn ? self.afterLogin : self.beforeLogin)
        return self.limit.map { min($0, end) } ?? end
    }

    func isExpired(at now: NIODeadline) -> Bool { !self.isSuspended && now >= self.end }

    func untilNextCheck(at now: NIODeadline) -> TimeAmount {
        let time = max(Self.minimumCheckInterval, self.end - now)
        return self.maximumCheckInterval.map { min($0, time) } ?? time
    }
}
