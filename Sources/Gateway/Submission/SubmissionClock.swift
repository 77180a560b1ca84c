import NIOCore

/// When a submitting client, or its server, was silent or slow for too long.
struct SubmissionClock {
    /// RFC 5321 §4.5.3.2.7 asks for five minutes at least.
    private static let idle = TimeAmount.minutes(5)
    /// RFC 5321 §4.5.3.2.6 gives a server ten minutes to take a message.
    private static let upstream = TimeAmount.minutes(10)
    /// A connection to a server that carries no message is one that others may wait for.
    private static let unused = TimeAmount.seconds(20)
    private static let checkInterval = TimeAmount.seconds(10)
    /// A client that is slower than this, in octets a second, takes a place from others.
    private static let leastRate: UInt64 = 1_000

    private let beforeLogin: TimeAmount
    private let messageTime: TimeAmount
    private var lastActivity = NIODeadline.now()
    /// When the server was asked what it has not answered, or its last answer before that.
    private var asked = NIODeadline.now()
    /// When the message that goes on began, or the last one ended.
    private var turned = NIODeadline.now()

    /// Before login the time runs from the connection's start.
    var isLoggedIn = false {
        didSet { self.lastActivity = .now() }
    }

    /// The number of the message on its way, from `MAIL` to what became of it.
    var message: UInt64? {
        didSet { if self.message != oldValue { self.turned = .now() } }
    }

    /// Octets of that message.
    var octets: UInt64 = 0

    /// Whether a server has to answer before the client is heard.
    var awaitsServer = false {
        didSet { if self.awaitsServer, !oldValue { self.asked = .now() } }
    }

    init(limits: GatewayConfiguration.Limits) {
        self.beforeLogin = limits.loginTimeout
        self.messageTime = limits.messageTime
    }

    mutating func touch() {
        if self.isLoggedIn { self.lastActivity = .now() }
    }

    /// What a server takes to answer is no fault of the client's.
    mutating func serverSpoke() {
        let now = NIODeadline.now()
        if self.awaitsServer { self.turned = self.turned + (now - self.asked) }
        self.asked = now
        self.touch()
    }

    /// When the client has been silent, or slow, for too long.
    private var end: NIODeadline {
        let idle = self.lastActivity + (self.isLoggedIn ? Self.idle : self.beforeLogin)
        guard self.message != nil else { return idle }
        let rest = self.messageTime + .seconds(Int64(self.octets / Self.leastRate))
        return min(idle, self.turned + rest)
    }

    var isExpired: Bool { !self.awaitsServer && NIODeadline.now() >= self.end }

    var isUpstreamExpired: Bool {
        self.awaitsServer && NIODeadline.now() >= self.asked + Self.upstream
    }

    var isUpstreamUnused: Bool {
        self.message == nil && NIODeadline.now() >= self.turned + Self.unused
    }

    var untilNextCheck: TimeAmount {
        min(Self.checkInterval, max(.seconds(1), self.end - .now()))
    }
}
