import Glibc
import NIOCore
import Synchronization

/// The file descriptors of the process. Each client needs one, and one more for each mail server
/// that it uses.
///
/// The last quarter is reserved for clients from networks with a recent successful login. So a
/// crowd of unknown clients that never log in does not lock users out. Safe to use from any event
/// loop.
final class DescriptorBudget: Sendable {
    /// Descriptors for the store, listeners, event loops, logs, certificates and messages on their
    /// way to disk; at most a quarter of the limit.
    private static let maximumOverhead = 64
    /// The reserved part of the limit: 1/4.
    private static let reservedShare = 4

    /// The limit of open files of the process.
    let limit: Int
    /// The open sockets.
    private let used = Atomic<Int>(0)

    /// - Parameter limit: the limit of open files of the process.
    init(limit: Int) {
        self.limit = limit
    }

    /// The limit of this process (getrlimit(2)); 1,024 if it cannot be read.
    static var ofProcess: Int {
        var limit = rlimit()
        guard getrlimit(Privileges.openFiles, &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether one more client may connect.
    /// - Parameter isKnown: whether a login from its network succeeded recently.
    func hasRoom(isKnown: Bool) -> Bool {
        let quarter = self.limit / Self.reservedShare
        let available = self.limit - min(Self.maximumOverhead, quarter)
        let mine = isKnown ? available : available - quarter
        return self.used.load(ordering: .relaxed) < mine
    }

    /// Counts a socket until it closes.
    func count(_ channel: any Channel) {
        self.used.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { _ in self.used.subtract(1, ordering: .relaxed) }
    }
}
