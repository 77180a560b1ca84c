import Glibc
import NIOCore
import Synchronization

/// The file descriptors of the process: each connection needs one, and one more for each mail server that it uses. The
/// last quarter is for clients from networks where somebody logged in recently, so that a crowd of strangers that
/// never logs in does not keep users out.
final class DescriptorBudget: Sendable {
    /// For the store, listeners, event loops, logs, certificates, and messages on their way to disk; a quarter where
    /// the limit is small.
    private static let maximumOverhead = 64
    private static let reservedShare = 4

    /// Open files of the process at most.
    let limit: Int
    private let used = Atomic<Int>(0)

    /// - Parameter limit: open files of the process at most.
    init(limit: Int) {
        self.limit = limit
    }

    /// The limit of this process.
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
