import Logging
import NIOCore
import Synchronization

/// Logs what goes wrong with servers. The first of a kind is a line at once; what follows within a
/// minute is one line at its end, with how often it was: any client may ask for a server that is
/// down as often as it likes, and the log has other lines that must be found.
final class Complaints: Sendable {
    private struct Kind: Hashable {
        var message: String
        var server: String
    }

    private struct Repeats {
        var count = 0
        var lastError = "none"
    }

    private static let period = TimeAmount.minutes(1)

    private let logger: Logger
    /// Bounded by the servers of accounts, and by what there is to say of one.
    private let repeats = Mutex<[Kind: Repeats]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    func log(
        _ message: String,
        server: String,
        error: (any Error)?,
        on loop: any EventLoop
    ) {
        let kind = Kind(message: message, server: server)
        let text = error.map { "\($0)" } ?? "none"
        let isFirst = self.repeats.withLock { repeats in
            guard var known = repeats[kind] else {
                repeats[kind] = Repeats()
                return true
            }
            known.count += 1
            known.lastError = text
            repeats[kind] = known
            return false
        }
        guard isFirst else { return }
        self.write(kind, error: text)
        self.sumUpLater(kind, on: loop)
    }

    private func sumUpLater(_ kind: Kind, on loop: any EventLoop) {
        loop.scheduleTask(in: Self.period) {
            let last = self.repeats.withLock { repeats in
                let last = repeats.removeValue(forKey: kind)
                guard let last, last.count > 0 else { return Repeats?.none }
                repeats[kind] = Repeats()
                return last
            }
            guard let last else { return }
            self.write(kind, error: last.lastError, times: last.count)
            self.sumUpLater(kind, on: loop)
        }
    }

    /// Logs what would have to wait for the end of its minute; the gateway stops.
    func flush() {
        let repeats = self.repeats.withLock { repeats in
            defer { repeats = [:] }
            return repeats
        }
        for (kind, last) in repeats where last.count > 0 {
            self.write(kind, error: last.lastError, times: last.count)
        }
    }

    private func write(_ kind: Kind, error: String, times: Int? = nil) {
        var metadata: Logger.Metadata = ["server": "\(kind.server)", "error": "\(error)"]
        metadata["times"] = times.map { "\($0)" }
        self.logger.notice("\(kind.message)", metadata: metadata)
    }
}
