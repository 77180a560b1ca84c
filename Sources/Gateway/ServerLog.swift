import Logging
import NIOCore
import Store
import Synchronization

/// Logs what goes wrong with servers, at a limited rate. The first of a kind is a line at once; what
/// follows within a minute is one line at its end, with how often it was: any client may ask for a
/// server that is down as often as it likes, and the log has other lines that must be found.
final class ServerLog: Sendable {
    /// What is the same trouble of the same account at the same server.
    private struct Kind: Hashable {
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

    private let logger: Logger
    /// How often it was again within the minute.
    private let repeats = Mutex<[Kind: Int]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameter endpoint: nil where the account has no server of this sort.
    func log(
        _ message: String,
        _ account: UpstreamAccount,
        at endpoint: Endpoint?,
        error: String?,
        on loop: any EventLoop
    ) {
        var kind = Kind(
            message: message,
            account: account.address,
            server: endpoint.map { "\($0.host):\($0.port)" } ?? "-",
            error: error ?? "none"
        )
        let isFirst = self.repeats.withLock { repeats in
            if repeats[kind] == nil, repeats.count >= Self.maximumKinds { kind = .other }
            guard let count = repeats[kind] else {
                repeats[kind] = 0
                return true
            }
            repeats[kind] = count + 1
            return false
        }
        guard isFirst else { return }
        self.write(kind)
        self.sumUpLater(kind, on: loop)
    }

    private func sumUpLater(_ kind: Kind, on loop: any EventLoop) {
        loop.scheduleTask(in: Self.period) {
            let count = self.repeats.withLock { repeats in
                let count = repeats.removeValue(forKey: kind) ?? 0
                if count > 0 { repeats[kind] = 0 }
                return count
            }
            guard count > 0 else { return }
            self.write(kind, times: count)
            self.sumUpLater(kind, on: loop)
        }
    }

    /// Logs what would have to wait for the end of its minute; the gateway stops.
    func flush() {
        let repeats = self.repeats.withLock { repeats in
            defer { repeats = [:] }
            return repeats
        }
        for (kind, count) in repeats where count > 0 { self.write(kind, times: count) }
    }

    private func write(_ kind: Kind, times: Int? = nil) {
        var metadata: Logger.Metadata = [
            "account": "\(kind.account)", "server": "\(kind.server)", "error": "\(kind.error)",
        ]
        metadata["times"] = times.map { "\($0)" }
        self.logger.notice("\(kind.message)", metadata: metadata)
    }
}
