import NIOCore

/// Measures the time of a message, the silence of its server, and how long a connection to a server
/// is unused. Pure: time is a parameter.
struct TransactionClock {
    /// How long a server may take to answer: RFC 5321 §4.5.3.2.6 gives it ten minutes to accept a
    /// message.
    private static let answerTime = TimeAmount.minutes(10)
    /// How long a connection stays open without a message: others may wait for its slot.
    private static let unusedTime = TimeAmount.seconds(20)
    /// Octets per second. A slower client occupies a connection that others need.
    private static let minimumRate: UInt64 = 1_000

    /// `limits.messageSeconds`.
    private let messageTime: TimeAmount
    /// When the server last owed a new answer, or last sent octets.
    private var asked: NIODeadline
    /// When the present message began, or the last one ended; later by the time that the server
    /// took to answer.
    private var turned: NIODeadline
    /// The number of the present message; nil between messages.
    private var message: UInt64?
    /// Octets of the present message so far.
    private var octets: UInt64 = 0
    /// Whether the session waits for the server.
    private(set) var awaitsServer = false

    /// - Parameter messageTime: the time for a message, besides a second for each 1,000 octets of
    ///   it.
    init(messageTime: TimeAmount, at now: NIODeadline) {
        self.messageTime = messageTime
        self.asked = now
        self.turned = now
    }

    /// Records the progress of the session after each event.
    /// - Parameters:
    ///   - message: the number of the present message, from `MAIL` to its result; nil between
    ///     messages.
    ///   - octets: octets of that message so far.
    ///   - awaitsServer: whether the server must answer before the client may continue.
    ///   - now: evaluated only if a time is recorded.
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

    /// The server sent octets. Its time does not count against the client.
    mutating func serverSpoke(at now: NIODeadline) {
        if self.awaitsServer { self.turned = self.turned + (now - self.asked) }
        self.asked = now
    }

    /// When the present message must be complete; nil between messages.
    var messageEnd: NIODeadline? {
        guard self.message != nil else { return nil }
        return self.turned + self.messageTime + .seconds(Int64(self.octets / Self.minimumRate))
    }

    /// Whether the server has taken too long to answer.
    func isServerExpired(at now: NIODeadline) -> Bool {
        self.awaitsServer && now >= self.asked + Self.answerTime
    }

    /// Whether the connection has been without a message for too long.
    func isServerUnused(at now: NIODeadline) -> Bool {
        self.message == nil && now >= self.turned + Self.unusedTime
    }
}
