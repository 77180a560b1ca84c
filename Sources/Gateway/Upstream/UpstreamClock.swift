import NIOCore
import Session

/// Measures the silence of a server that owes an answer. Pure: time is a parameter.
///
/// Only the time in which the gateway reads from the server counts. While the client, or the target
/// of a transfer, does not take earlier octets, the server cannot send.
struct UpstreamClock {
    /// `limits.upstreamAnswerSeconds`.
    private let answerTime: TimeAmount
    /// `limits.upstreamWorkSeconds`.
    private let workTime: TimeAmount
    /// `limits.upstreamTransferSeconds`.
    private let transferTime: TimeAmount
    /// When the gateway last sent octets to the server.
    private var asked: NIODeadline
    /// When octets last moved in either direction.
    private var moved: NIODeadline
    /// Since when the server is not read; nil while it is read.
    private var unread: NIODeadline?

    /// - Parameter now: when the connection began to open.
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

    /// The server sent octets, or took octets that waited.
    mutating func octetsMoved(at now: NIODeadline) {
        self.moved = now
    }

    /// Back-pressure begins: the server's time stops.
    mutating func readingStopped(at now: NIODeadline) {
        if self.unread == nil { self.unread = now }
    }

    /// Back-pressure ends: the server's time continues.
    mutating func readingResumed(at now: NIODeadline) {
        guard let unread = self.unread else { return }
        self.unread = nil
        self.asked = min(now, self.asked + (now - unread))
        self.moved = now
    }

    /// Whether the server has exceeded its time.
    /// - Parameters:
    ///   - awaited: the kind of answer that the server owes.
    ///   - isWritable: whether the server takes octets as fast as they come.
    func isExpired(
        _ awaited: AwaitedAnswer,
        isWritable: Bool,
        at now: NIODeadline
    ) -> Bool {
        if awaited == .message { return !isWritable && now >= self.moved + self.transferTime }
        guard self.unread == nil else { return false }
        return switch awaited {
        // The second limit ends a server that keeps its client waiting with single octets.
        case .prompt: now >= self.moved + self.answerTime || now >= self.asked + self.workTime
        case .rest: now >= self.moved + self.answerTime
        case .work: now >= self.moved + self.workTime
        case .transfer, .message: now >= self.moved + self.transferTime
        }
    }
}
