import Logging
import NIOCore
import Synchronization

/// Logs sources that cannot answer, each at once and then at most once in a period.
final class UnavailableSources: Sendable {
    static let period = TimeAmount.minutes(1)

    private let logger: Logger
    /// Failures since the last line in the log, and its time.
    private let failures = Mutex<[AuthenticationSourceName: (count: Int, logged: NIODeadline)]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameter reason: contains no text of a client.
    func log(_ source: AuthenticationSourceName, reason: String, at now: NIODeadline) {
        let count: Int? = self.failures.withLock { failures in
            guard let known = failures[source], now - known.logged < Self.period else {
                defer { failures[source] = (0, now) }
                return (failures[source]?.count ?? 0) + 1
            }
            failures[source]?.count += 1
            return nil
        }
        guard let count else { return }
        self.logger.warning(
            "a source of logins cannot be asked: clients are told to try again",
            metadata: ["source": "\(source)", "times": "\(count)", "reason": "\(reason)"]
        )
    }
}
