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
    private static let leastRate = 1_000

    private let beforeLogin: TimeAmount
    private let messageTime: TimeAmount
    private var lastActivity = NIODeadline.now()
    /// When the message that goes on began, or the last one ended.
    private var turned = NIODeadline.now()
    /// Octets of the message since then.
    private var octets = 0

    /// Before login the time runs from the connection's start.
    var isLoggedIn = false {
        didSet { self.lastActivity = .now() }
    }

    /// The number of the message on its way, from `MAIL` to what became of it.
    var message: UInt64? {
        didSet {
            guard self.message != oldValue else { return }
            self.turned = .now()
            self.octets = 0
        }
    }

    init(limits: GatewayConfiguration.Limits) {
        self.beforeLogin = limits.loginTimeout
        self.messageTime = limits.messageTime
    }

    /// - Parameter octets: how many came of a message.
    mutating func touch(octets: Int = 0) {
        if self.isLoggedIn { self.lastActivity = .now() }
        self.octets += octets
    }

    /// What a server takes to answer is no fault of the client's.
    mutating func serverSpoke(isAwaited: Bool) {
        if isAwaited { self.turned = self.turned + (.now() - self.lastActivity) }
        self.touch()
    }

    private var idleEnd: NIODeadline {
        self.lastActivity + (self.isLoggedIn ? Self.idle : self.beforeLogin)
    }

    /// When a message has to be whole, as far as it has come.
    private var messageEnd: NIODeadline {
        guard self.message != nil else { return .distantFuture }
        return self.turned + self.messageTime + .seconds(Int64(self.octets / Self.leastRate))
    }

    var isExpired: Bool { NIODeadline.now() >= min(self.idleEnd, self.messageEnd) }

    var isUpstreamExpired: Bool { NIODeadline.now() >= self.lastActivity + Self.upstream }

    var isUpstreamUnused: Bool {
        self.message == nil && NIODeadline.now() >= self.turned + Self.unused
    }

    var untilNextCheck: TimeAmount {
        min(Self.checkInterval, max(.seconds(1), min(self.idleEnd, self.messageEnd) - .now()))
    }
}
