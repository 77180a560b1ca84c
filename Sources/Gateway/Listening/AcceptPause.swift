import Glibc
import Logging
import NIOCore

/// Pauses a listener when the process or the machine has no file descriptor for the next client (accept(2)).
///
/// Without a pause the event loop would ask for the same connection again at once, without end: it stays readable.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Connections end meanwhile. The kernel holds those that wait.
    private static let pause = TimeAmount.seconds(1)
    /// A lack that lasts is one line in the log, and then one in this time.
    static let logPeriod = TimeAmount.minutes(1)

    private let logger: Logger
    private let now: () -> NIODeadline
    private var pauses = 0
    private var logged: NIODeadline?

    init(logger: Logger, now: @escaping () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.now = now
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.isLack(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        self.log(error)
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenSuccess {
            channel.eventLoop.scheduleTask(in: Self.pause) {
                // Fails where the listener has closed.
                channel.setOption(.autoRead, value: true).whenComplete { _ in }
            }
        }
    }

    private static func isLack(_ code: CInt) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
    }

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
