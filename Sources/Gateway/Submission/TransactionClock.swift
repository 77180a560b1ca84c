import NIOCore

/// How long a message may take, its server to answer, and a connection to a server to be without a message.
struct TransactionClock {
    /// RFC 5321 §4.5.3.2.6 gives a server ten minutes to take a message.
    private static let answerTime = TimeAmount.minutes(10)
    /// A connection to a server that carries no message is one that others may wait for.
    private static let unusedTime = TimeAmount.seconds(20)
    /// A client that is slower than this, in octets a second, takes a connection from others.
    private static let minimumRate: UInt64 = 1_000

    private let messageTime: TimeAmount
    /// When the server was asked what it has not answered, or its last answer before that.
    private var asked: NIODeadline
    /// When the message that goes on began, or the last one ended.
    private var turned: NIODeadline
    private var message: UInt64?
    private var octets: UInt64 = 0
    private(set) var awaitsServer = false

    /// - Parameter messageTime: for a message, besides a second for each 1,000 octets of it.
    init(messageTime: TimeAmount, at now: NIODeadline) {
        self.messageTime = messageTime
        self.asked = now
        self.turned = now
    }

    /// How far the session is; called after each event, so that the time is asked for only where it counts.
    /// - Parameters:
    ///   - message: the number of the message on its way, from `MAIL` to what became of it.
    ///   - octets: of that message.
    ///   - awaitsServer: whether a server has to answer before the client is heard.
    mutating func progressed(
        message: UInt64?,
        octets: UInt64,
        awaitsServer: Bool,
        at now: @autoclosure () -> NIODeadline
    ) {
        if message != self.message { self.turned = now() }
        if awaitsServer, !self.awaitsServer { self.asked = now() }
        self.message = message
        self.octets = octets
        self.awaitsServer = awaitsServer
    }

    /// What a server takes to answer is no fault of the client's.
    mutating func serverSpoke(at now: NIODeadline) {
        if self.awaitsServer { self.turned = self.turned + (now - self.asked) }
        self.asked = now
    }

    /// When the client has been too slow with its message; nil without one.
    var messageEnd: NIODeadline? {
        guard self.message != nil else { return nil }
        return self.turned + self.messageTime + .seconds(Int64(self.octets / Self.minimumRate))
    }

    func isServerExpired(at now: NIODeadline) -> Bool {
        self.awaitsServer && now >= self.asked + Self.answerTime
    }

    func isServerUnused(at now: NIODeadline) -> Bool {
        self.message == nil && now >= self.turned + Self.unusedTime
    }
}
