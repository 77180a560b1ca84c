import ArgumentParser
import Gateway
import ServiceLifecycle
import Store
import UnixSignals

/// `gatepost serve`: the gateway itself. Requires the role `administrator`.
///
/// On SIGTERM or SIGINT it accepts no more connections and waits up to `limits.drainSeconds` for
/// messages in transit. On SIGHUP it reads the certificates and keys again. Errors before the start
/// have exit status 1. The log goes to standard error; its level is `log.level`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway in the foreground, until SIGTERM or SIGINT.",
        discussion: "SIGHUP reloads the certificates."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() async throws {
        let configuration = try await self.configuration.load()
        let (store, _) = try await self.configuration.openForChange(.administrator)
        let masterKey = try MasterKey(file: configuration.masterKey)
        let logger = LogOutput.logger(level: configuration.logLevel)
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
            logger: LogOutput.logger(level: "error")
        )
        do {
            try await group.run()
        } catch {
            throw Failure("the gateway stopped: \(error)")
        }
    }
}

/// Reloads the certificates on SIGHUP; established connections continue.
private struct CertificateReload: Service {
    let gateway: Gateway

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            self.gateway.reloadCertificates()
        }
    }
}
