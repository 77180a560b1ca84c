import Foundation
import Logging
import Synchronization

/// The log of a gateway that runs in this process.
enum LogOutput {
    /// Makes a logger that writes to standard error.
    /// - Parameter level: the name of a swift-log level; `info` replaces an unknown name.
    static func logger(level: String) -> Logger {
        var logger = Logger(label: "gatepost") { StreamLogHandler(label: $0, stream: LogLines()) }
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }
}

/// Standard error as a log: each event is exactly one line, whatever octets a peer sent.
private struct LogLines: TextOutputStream, Sendable {
    /// The lock keeps the lines of several threads apart.
    private static let output = Mutex(FileHandle.standardError)

    /// - Parameter event: one event, with its line end.
    mutating func write(_ event: String) {
        let text = event.hasSuffix("\n") ? event.dropLast() : event[...]
        // A failed write cannot be reported: this is the log.
        let line = Data((Output.printable(text) + "\n").utf8)
        Self.output.withLock { try? $0.write(contentsOf: line) }
    }
}
