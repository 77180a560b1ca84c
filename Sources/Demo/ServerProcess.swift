import Foundation

/// The process of a server on 127.0.0.1.
final class ServerProcess {
    /// The time until the server must accept connections, in seconds.
    private static let startTime: TimeInterval = 10
    /// The time that the server has to stop before it is killed, in seconds.
    private static let stopTime: TimeInterval = 3
    /// The number of octets from the end of the log in an error.
    private static let shownLog = 400

    private let name: String
    private var process: Process?

    /// - Parameter name: the name in errors.
    init(_ name: String) {
        self.name = name
    }

    /// The process number; 0 before the start.
    var identifier: pid_t { self.process?.processIdentifier ?? 0 }

    /// Starts the program and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - port: the port that it listens on.
    ///   - log: the file with the reason if it does not start.
    /// - Throws: ``DemoError`` with the end of the log if it does not start.
    func start(_ executable: String, arguments: [String], port: Int, log: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.runUnblocked()
        self.process = process
        let end = Date().addingTimeInterval(Self.startTime)
        while !LoopbackPort.accepts(port) {
            guard Date() < end, process.isRunning else {
                let reason = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                throw DemoError("\(self.name) does not start: \(reason.suffix(Self.shownLog))")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Stops the program and waits for its end: it writes into its folder until then.
    func stop() {
        guard let process = self.process else { return }
        kill(process.processIdentifier, SIGTERM)
        let end = Date().addingTimeInterval(Self.stopTime)
        while process.isRunning, Date() < end {
            Thread.sleep(forTimeInterval: 0.02)
        }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
