import Foundation
import Logging
import Synchronization

/// The log of a gateway that runs in this process.
enum LogOutput {
    /// - Parameter level: a level of swift-log; `info` where it is none.
    static func logger(level: String) -> Logger {
        var logger = Logger(label: "gatepost") { StreamLogHandler(label: $0, stream: LogLines()) }
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }
}

/// Standard error, with one line for each event whatever a server or a client said.
private struct LogLines: TextOutputStream, Sendable {
    /// A line is written whole, whichever threads have one.
    private static let output = Mutex(FileHandle.standardError)

    /// - Parameter event: a whole event and the end of its line.
    mutating func write(_ event: String) {
        let text = event.hasSuffix("\n") ? event.dropLast() : event[...]
        // There is nowhere to say that a line could not be written.
        let line = Data((Output.printable(text) + "\n").utf8)
        Self.output.withLock { try? $0.write(contentsOf: line) }
    }
}
