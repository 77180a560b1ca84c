package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
package import Store
import TLS

/// The running gateway: its listeners, its event loops, and the task that follows the store.
package struct Gateway: Service {
    private let environment: Environment
    private let store: PermissionStore
    private let logger: Logger

    /// - Throws: what is wrong with the configuration, the certificates or the store.
    package init(
        configuration: GatewayConfiguration,
        store: PermissionStore,
        masterKey: MasterKey,
        logger: Logger
    ) throws {
        self.store = store
        self.logger = logger
        self.environment = try Environment(
            configuration: configuration,
            store: store,
            masterKey: masterKey,
            logger: logger
        )
    }

    /// Serves until the task is cancelled or a graceful shutdown is asked for.
    package func run() async throws {
        let threads = self.environment.configuration.threads
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.environment.authenticator.start()
        self.environment.subscriptions.start()
        self.environment.sentCopies.start(self.environment, on: group)
        self.environment.transfers.start(self.environment, on: group)
        let listeners = try await Listeners(environment: self.environment, group: group)
        do {
            try await listeners.bind()
            await self.followStore(listeners)
            try await listeners.close()
        } catch {
            try? await listeners.close()
            await self.environment.credentials.shutdown()
            try? await group.shutdownGracefully()
            throw error
        }
        try await self.environment.authenticator.stop()
        try await self.environment.subscriptions.stop()
        try await self.environment.sentCopies.stop()
        try await self.environment.transfers.stop()
        await self.environment.credentials.shutdown()
        try await group.shutdownGracefully()
    }

    /// Reads the certificates again; handshakes that begin later show the new ones. Where the files
    /// are not usable, the ones in use stay, and the log says why.
    package func reloadCertificates() {
        do {
            try self.environment.reloadCertificates()
            self.logger.notice("certificates read again")
        } catch {
            self.logger.error(
                "certificates not read again; the ones in use stay",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Hands every change of the store to every session, until the gateway is to stop.
    private func followStore(_ listeners: Listeners) async {
        let changes = self.store.changes(every: .milliseconds(200))
        for await published in changes.cancelOnGracefulShutdown() {
            self.environment.permissions.replace(with: published)
            listeners.permissionsChanged()
        }
    }
}
