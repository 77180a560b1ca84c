import IMAP
import Logging
import NIOCore
import Store
import Synchronization

/// Logs what goes wrong with servers, at a limited rate. The first of a kind is a line at once; what
/// follows within a minute is one line at its end, with how often it was: any client may ask for a
/// server that is down as often as it likes, and the log has other lines that must be found.
final class ServerLog: Sendable {
    /// What is the same trouble of the same account at the same server.
    fileprivate struct Kind: Hashable {
        var message: String
        var account: String
        var server: String
        var error: String

        /// What goes wrong beside as many kinds as are told apart.
        static let other = Kind(
            message: "servers have more troubles",
            account: "-",
            server: "-",
            error: "-"
        )
    }

    private static let period = TimeAmount.minutes(1)
    /// Servers choose some of the words: those of one must not take memory without end.
    private static let maximumKinds = 10_000
    /// Lines of one server that are logged within a minute, each once: as many folders as somebody
    /// would rename by hand. What follows is counted.
    private static let maximumLines = 10

    private let logger: Logger
    /// What was within the minute.
    private struct Period {
        /// How often it was again, beside the lines that are logged.
        var repeats = 0
        var lines: Set<UnreadableLine> = []
    }

    private let periods = Mutex<[Kind: Period]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// What goes wrong with an account's server.
    struct Trouble {
        fileprivate var kind: Kind

        /// - Parameter endpoint: nil where the account has no server of this sort.
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

    /// What the server said.
    struct Words {
        /// What it sent and nobody can read, of which several are told within a minute.
        var line: UnreadableLine?
        /// Its words, printable. They stand in the first line of a kind and tell no kinds apart: a client could make a
        /// server say something else each time.
        var text: String?
    }

    func log(_ trouble: Trouble, words: Words? = nil, on loop: any EventLoop) {
        var kind = trouble.kind
        let (isFirst, isLogged) = self.periods.withLock { periods in
            if periods[kind] == nil, periods.count >= Self.maximumKinds { kind = .other }
            let isFirst = periods[kind] == nil
            var period = periods[kind] ?? Period()
            let isNew = words?.line.map {
                period.lines.count < Self.maximumLines && period.lines.insert($0).inserted
            }
            let isLogged = isNew ?? isFirst
            if !isLogged { period.repeats += 1 }
            periods[kind] = period
            return (isFirst, isLogged)
        }
        if isLogged { self.write(kind, words: words) }
        if isFirst { self.sumUpLater(kind, on: loop) }
    }

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

    /// Logs what would have to wait for the end of its minute; the gateway stops.
    func flush() {
        let periods = self.periods.withLock { periods in
            defer { periods = [:] }
            return periods
        }
        for (kind, period) in periods where period.repeats > 0 {
            self.write(kind, times: period.repeats)
        }
    }

    private func write(
        _ kind: Kind,
        words: Words? = nil,
        times: Int? = nil
    ) {
        var metadata: Logger.Metadata = [
            "account": "\(kind.account)", "server": "\(kind.server)", "error": "\(kind.error)",
        ]
        metadata["line"] = words?.line.map { "\($0)" }
        metadata["text"] = words?.text.map { "\($0)" }
        metadata["times"] = times.map { "\($0)" }
        self.logger.notice("\(kind.message)", metadata: metadata)
    }
}
