import Glibc
import Logging
import NIOCore

/// Pauses a listener when the process or the machine has no file descriptor for the next client
/// (accept(2)).
///
/// Without the pause the event loop would spin: the listening socket stays readable, and each
/// accept fails again.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// The pause, in which connections may end. The kernel queues new clients meanwhile.
    private static let pause = TimeAmount.seconds(1)
    /// A lasting shortage is logged at once, and then once in this period.
    static let logPeriod = TimeAmount.minutes(1)

    private let logger: Logger
    private let now: () -> NIODeadline
    /// Pauses since the last line in the log.
    private var pauses = 0
    /// When the last pause was logged.
    private var logged: NIODeadline?

    /// - Parameter now: the clock; a test replaces it.
    init(logger: Logger, now: @escaping () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.now = now
    }

    /// Handles errors of accept(2) that stand for a lack of resources; all others are passed on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.isLack(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        self.log(error)
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenSuccess {
            channel.eventLoop.scheduleTask(in: Self.pause) {
                // Fails if the listener has closed meanwhile.
                channel.setOption(.autoRead, value: true).whenComplete { _ in }
            }
        }
    }

    /// Whether an errno(3) number stands for a lack of descriptors or memory.
    private static func isLack(_ code: CInt) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
    }

    /// Logs the shortage, at most once in ``logPeriod``, with the number of pauses.
    private func log(_ error: IOError) {
        self.pauses += 1
        let now = self.now()
        if let logged = self.logged, now - logged < Self.logPeriod { return }
        self.logger.error(
            "no client can be accepted for a moment: raise the limit of open files",
            metadata: ["error": "\(ConnectionFailure(error).reason)", "times": "\(self.pauses)"]
        )
        self.logged = now
        self.pauses = 0
    }
}
