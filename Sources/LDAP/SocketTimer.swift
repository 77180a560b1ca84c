import Dispatch
import Glibc

/// Shuts a socket down at a deadline, and so ends every call of libldap that waits for it.
///
/// The time limits of libldap bound the wait for the first octet only: it blocks while a peer sends
/// a TLS record octet by octet, takes no octets, or starts a renegotiation and never ends it.
final class SocketTimer {
    /// The queue of all timers. No handler on it blocks.
    private static let queue = DispatchQueue(label: "LDAP deadlines")

    private let timer: any DispatchSourceTimer
    /// A descriptor of its own for the socket, so that it stays valid until the timer is cancelled.
    private let descriptor: CInt

    /// - Returns: nil if the process has no descriptor left.
    init?(socket: CInt) {
        let descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        self.timer = DispatchSource.makeTimerSource(queue: Self.queue)
        self.timer.setEventHandler { shutdown(descriptor, CInt(SHUT_RDWR)) }
        self.timer.setCancelHandler { close(descriptor) }
        self.timer.schedule(deadline: .distantFuture)
        self.timer.activate()
    }

    deinit {
        self.timer.cancel()
    }

    func start(_ deadline: Deadline) {
        self.timer.schedule(deadline: .now() + .milliseconds(deadline.milliseconds))
    }

    func stop() {
        self.timer.schedule(deadline: .distantFuture)
    }

    /// Ends the connection at once: both directions are closed, without a further octet.
    func shutDown() {
        shutdown(self.descriptor, CInt(SHUT_RDWR))
    }
}
