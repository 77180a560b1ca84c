import IMAP
import Logging
import NIOCore
import Store
import Synchronization

/// Logs failures of mail servers at a limited rate.
///
/// The first failure of a kind is logged at once. Repetitions within a minute are one line at its
/// end, with their count: any client can cause failures of a server that is down as often as it
/// likes, and other lines must remain visible.
///
/// Safe to use from any thread.
final class ServerLog: Sendable {
    /// Failures that count as the same: message, account, server and error.
    fileprivate struct Kind: Hashable {
        /// A constant of this program.
        var message: String
        /// The primary address of the account.
        var account: String
        /// `HOST:PORT`; `-` for an account without a server.
        var server: String
        /// A text of this program; never octets of a server.
        var error: String

        /// Stands for all kinds beyond ``maximumKinds``.
        static let other = Kind(
            message: "further failures of mail servers",
            account: "-",
            server: "-",
            error: "-"
        )
    }

    /// The time in which repetitions are summed up.
    private static let period = TimeAmount.minutes(1)
    /// Kinds in memory. Servers choose some of the words; a hostile one must not fill the memory.
    private static let maximumKinds = 10_000
    /// Unreadable responses of one server that are logged in a minute, each once: as many folders
    /// as an administrator would rename by hand. Further ones are counted.
    private static let maximumLines = 10

    /// Receives lines at level notice.
    private let logger: Logger
    /// What happened within the minute.
    private struct Period {
        /// Repetitions that were not logged.
        var repeats = 0
        /// The unreadable responses that were logged, at most ``maximumLines``.
        var lines: Set<UnreadableLine> = []
    }

    /// At most ``maximumKinds`` entries, plus one for all others.
    private let periods = Mutex<[Kind: Period]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// A failure of an account's server.
    struct Failure {
        fileprivate var kind: Kind

        /// - Parameter endpoint: nil if the account has no server for this protocol.
        init(
            _ message: String,
            account: UpstreamAccount,
            at endpoint: Endpoint?,
            error: String?
        ) {
            self.kind = Kind(
                message: message,
                account: account.address,
                server: endpoint.map { "\($0.host):\($0.port)" } ?? "-",
                error: error ?? "none"
            )
        }
    }

    /// Octets of the server that are logged.
    struct Excerpt {
        /// A response that cannot be parsed. Several different ones are logged in a minute.
        var line: UnreadableLine?
        /// The server's text, printable. It is logged with the first failure of a kind and does not
        /// distinguish kinds: a client could make a server say something else each time.
        var text: String?
    }

    /// Logs a failure, or counts it.
    /// - Parameter loop: the event loop that logs the sum at the end of the minute.
    func log(_ failure: Failure, excerpt: Excerpt? = nil, on loop: any EventLoop) {
        var kind = failure.kind
        let (isFirst, isLogged) = self.periods.withLock { periods in
            if periods[kind] == nil, periods.count >= Self.maximumKinds { kind = .other }
            let isFirst = periods[kind] == nil
            var period = periods[kind] ?? Period()
            let isNew = excerpt?.line.map {
                period.lines.count < Self.maximumLines && period.lines.insert($0).inserted
            }
            let isLogged = isNew ?? isFirst
            if !isLogged { period.repeats += 1 }
            periods[kind] = period
            return (isFirst, isLogged)
        }
        if isLogged { self.write(kind, excerpt: excerpt) }
        if isFirst { self.sumUpLater(kind, on: loop) }
    }

    /// Logs the repetitions at the end of each minute, until there are none.
    private func sumUpLater(_ kind: Kind, on loop: any EventLoop) {
        loop.scheduleTask(in: Self.period) {
            let count = self.periods.withLock { periods in
                let count = periods.removeValue(forKey: kind)?.repeats ?? 0
                if count > 0 { periods[kind] = Period() }
                return count
            }
            guard count > 0 else { return }
            self.write(kind, times: count)
            self.sumUpLater(kind, on: loop)
        }
    }

    /// Logs pending sums when the gateway stops.
    func flush() {
        let periods = self.periods.withLock { periods in
            defer { periods = [:] }
            return periods
        }
        for (kind, period) in periods where period.repeats > 0 {
            self.write(kind, times: period.repeats)
        }
    }

    /// Writes one line at level notice.
    /// - Parameter times: the number of repetitions; nil for a first failure.
    private func write(
        _ kind: Kind,
        excerpt: Excerpt? = nil,
        times: Int? = nil
    ) {
        var metadata: Logger.Metadata = [
            "account": "\(kind.account)", "server": "\(kind.server)", "error": "\(kind.error)",
        ]
        metadata["line"] = excerpt?.line.map { "\($0)" }
        metadata["text"] = excerpt?.text.map { "\($0)" }
        metadata["times"] = times.map { "\($0)" }
        self.logger.notice("\(kind.message)", metadata: metadata)
    }
}
