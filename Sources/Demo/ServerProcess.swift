import Foundation

/// The program of a server on loopback, from its start to its end.
final class ServerProcess {
    /// A server that accepts no connection by then does not start.
    private static let startTime: TimeInterval = 10
    /// A server that is not gone by then is killed.
    private static let stopTime: TimeInterval = 3
    /// Octets of a log that an error has, from its end.
    private static let shownLog = 400

    private let name: String
    private var process: Process?

    /// - Parameter name: what errors call it.
    init(_ name: String) {
        self.name = name
    }

    /// 0 before it was started.
    var identifier: pid_t { self.process?.processIdentifier ?? 0 }

    /// Starts the program and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - port: that it listens at.
    ///   - log: where it says why it does not start.
    /// - Throws: ``DemoError`` where it does not.
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

    /// Stops the program, and waits until it is gone, for it writes to its folder until then.
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
