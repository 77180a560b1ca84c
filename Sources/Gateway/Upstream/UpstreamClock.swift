import NIOCore
import Session

/// How long a server that owes an answer has been silent.
///
/// Only the time counts in which the gateway reads from the server: where the client, or the target of a
/// transfer, does not take what came before, the server can say nothing.
struct UpstreamClock {
    private let answerTime: TimeAmount
    private let workTime: TimeAmount
    private let transferTime: TimeAmount
    /// When the server got the last octets.
    private var asked: NIODeadline
    /// When the last octets went either way.
    private var moved: NIODeadline
    /// Since when the server is not read; nil while it is.
    private var unread: NIODeadline?

    init(limits: GatewayConfiguration.Limits, at now: NIODeadline) {
        self.answerTime = limits.upstreamAnswerTime
        self.workTime = limits.upstreamWorkTime
        self.transferTime = limits.upstreamTransferTime
        self.asked = now
        self.moved = now
    }

    /// Octets were written to the server.
    mutating func octetsSent(at now: NIODeadline) {
        self.asked = now
        self.moved = now
    }

    /// The server sent octets, or took some that waited.
    mutating func octetsMoved(at now: NIODeadline) {
        self.moved = now
    }

    mutating func readingStopped(at now: NIODeadline) {
        if self.unread == nil { self.unread = now }
    }

    mutating func readingResumed(at now: NIODeadline) {
        guard let unread = self.unread else { return }
        self.unread = nil
        self.asked = min(now, self.asked + (now - unread))
        self.moved = now
    }

    /// - Parameter isWritable: whether the server takes octets as fast as they come.
    func isExpired(
        _ awaited: AwaitedAnswer,
        isWritable: Bool,
        at now: NIODeadline
    ) -> Bool {
        if awaited == .message { return !isWritable && now >= self.moved + self.transferTime }
        guard self.unread == nil else { return false }
        return switch awaited {
        // A server that sends an octet from time to time does not hold up its client for ever.
        case .prompt: now >= self.moved + self.answerTime || now >= self.asked + self.workTime
        case .rest: now >= self.moved + self.answerTime
        case .work: now >= self.moved + self.workTime
        case .transfer, .message: now >= self.moved + self.transferTime
        }
    }
}
