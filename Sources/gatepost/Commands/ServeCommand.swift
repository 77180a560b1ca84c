import ArgumentParser
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Store
import Synchronization
import UnixSignals

/// `gatepost serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway in the foreground, until SIGTERM or SIGINT.",
        discussion: "SIGHUP makes it read its certificates again."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() async throws {
        let configuration = try await self.configuration.load()
        let (store, _) = try await self.configuration.openForChange(.administrator)
        let masterKey = try MasterKey(file: configuration.masterKey)
        let logger = Self.logger(level: configuration.logLevel)
        let gateway: Gateway
        do {
            gateway = try Gateway(
                configuration: configuration,
                store: store,
                masterKey: masterKey,
                logger: logger
            )
        } catch let error as StoreError {
            throw error
        } catch {
            throw Failure("\(error)")
        }
        let group = ServiceGroup(
            services: [gateway, CertificateReload(gateway: gateway)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Self.logger(level: "error")
        )
        do {
            try await group.run()
        } catch {
            throw Failure("the gateway stopped: \(error)")
        }
    }

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

/// SIGHUP: the certificates are read again, nobody is disconnected.
private struct CertificateReload: Service {
    let gateway: Gateway

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            self.gateway.reloadCertificates()
        }
    }
}
