package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
package import Store
import TLS

/// The running gateway: its listeners, its event loops, and the task that follows the store.
package struct Gateway: Service {
    /// The time between two looks at the store. A replaced file needs two looks, so every change is
    /// in force within a second.
    private static let storeInterval = Duration.milliseconds(200)
    /// How long a look at the store may take; usually it takes milliseconds. Shared mailboxes of a
    /// store that does not answer are closed within a second.
    private static let storeSilence = Duration.milliseconds(800)

    private let gateway: GatewayContext
    /// The store that ``followStore(_:)`` follows; closed at the end of ``run()``.
    private let store: PermissionStore
    private let logger: Logger

    /// - Throws: an error in the configuration, the certificates or the store.
    package init(
        configuration: GatewayConfiguration,
        store: PermissionStore,
        masterKey: MasterKey,
        logger: Logger
    ) throws {
        self.store = store
        self.logger = logger
        Privileges.raiseOpenFiles()
        self.gateway = try GatewayContext(
            configuration: configuration,
            store: store,
            masterKey: masterKey,
            logger: logger
        )
    }

    /// Serves clients until the task is cancelled or a graceful shutdown begins.
    /// - Throws: ``ConfigurationError`` if a socket cannot be bound or the user cannot be switched,
    ///   and errors of the store.
    package func run() async throws {
        let threads = self.gateway.configuration.threads
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let listeners = try await Listeners(gateway: self.gateway, group: group)
        let control = ControlSocket(gateway: self.gateway, listeners: listeners)
        do {
            try await listeners.bind()
            // Drop privileges before a client is served or a file is created.
            if let name = self.gateway.configuration.runAs {
                try Privileges.drop(to: name)
                try self.store.requireWritable()
                // Files that are read again later must be readable for that user: fail now, not then.
                try self.gateway.reloadCertificates()
                _ = try MasterKey(file: self.gateway.configuration.masterKey)
            }
            self.start(listeners, on: group)
            await control.bind(on: group)
            await self.followStore(listeners)
            await control.close()
            try await listeners.close()
        } catch {
            await control.close()
            try? await listeners.close()
            await self.gateway.upstream.credentials.shutdown()
            try? await group.shutdownGracefully()
            throw error
        }
        self.gateway.folderRefresher.stop()
        try await self.gateway.authenticator.stop()
        if let kept = self.gateway.authenticator.kept {
            self.gateway.fileWriter.submit { kept.save() }
        }
        self.gateway.directoryGroups?.stop()
        self.gateway.takeover.stop()
        self.gateway.sentCopies.stop()
        self.gateway.transfers.stop()
        self.gateway.ownerNotifications.stop()
        try await self.gateway.storeWriter.stop()
        try await self.gateway.fileWriter.stop()
        try await self.gateway.sentCopies.sharing?.stop()
        self.gateway.audit.cancel()
        await self.gateway.otherNodes?.stop()
        await self.gateway.upstream.credentials.shutdown()
        // Remaining sessions end here, and their ends are recorded.
        try await group.shutdownGracefully()
        self.gateway.upstream.serverLog.flush()
        try await self.gateway.audit.stop()
        // Close the store, so that a file that replaces it finds no write-ahead log of this one.
        self.store.close()
    }

    /// Starts all services, and accepts clients.
    private func start(_ listeners: Listeners, on group: any EventLoopGroup) {
        self.gateway.storeWriter.start()
        self.gateway.fileWriter.start()
        self.startLogins(on: group)
        self.gateway.sentCopies.start(self.gateway.upstream, on: group)
        self.gateway.transfers.start(self.gateway.upstream, on: group)
        self.gateway.takeover.start(on: group)
        self.gateway.directoryGroups?.start(on: group.next())
        self.gateway.ownerNotifications.start(self.gateway.upstream, on: group)
        do {
            try self.store.setConsent(self.gateway.configuration.oversight.consent)
        } catch {
            self.logger.error(
                "cannot write the consent setting to the store",
                metadata: ["error": "\(error)"]
            )
        }
        self.startAudit(listeners, on: group)
        self.gateway.otherNodes?.start(
            SessionRequests(sessions: listeners, audit: self.gateway.audit),
            on: group.next()
        )
        listeners.accept()
    }

    /// Starts the checks of passwords. Reads the logins that were kept before, or removes their file
    /// if they are not to be kept any more.
    private func startLogins(on group: any EventLoopGroup) {
        let (authenticator, writer) = (self.gateway.authenticator, self.gateway.fileWriter)
        authenticator.start()
        guard let kept = authenticator.kept else {
            return KeptLoginsFile(path: self.gateway.configuration.keptLogins).remove()
        }
        if self.gateway.configuration.keepsLoginsBesideKey {
            self.logger.warning(
                "the master key is in the folder of the kept logins: move it to another folder, or set keepLogins to off"
            )
        }
        kept.load()
        group.next().scheduleRepeatedTask(
            initialDelay: KeptLogins.interval,
            delay: KeptLogins.interval
        ) { _ in
            writer.submit { kept.save() }
        }
    }

    /// Starts the audit log. If the log is required, shared access is suspended while it cannot be
    /// written.
    private func startAudit(_ listeners: Listeners, on group: any EventLoopGroup) {
        let isRequired = self.gateway.configuration.oversight.audit == .required
        let (permissions, logger) = (self.gateway.permissions, self.logger)
        self.gateway.audit.start(on: group) { isAvailable in
            guard isRequired else { return }
            logger.error(
                isAvailable
                    ? "shared mailboxes are open again"
                    : "shared mailboxes are refused until the audit log can be written"
            )
            permissions.restrict(.auditLog, isInForce: !isAvailable)
            listeners.permissionsChanged()
        }
    }

    /// Reads the certificates again, for later handshakes. If a file is unusable, the certificates
    /// in use stay, and the error is logged.
    package func reloadCertificates() {
        do {
            try self.gateway.reloadCertificates()
            self.logger.notice("certificates read again")
        } catch {
            self.logger.error(
                "certificates not read again; the ones in use stay",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Passes every change of the store to all sessions until the gateway stops.
    private func followStore(_ listeners: Listeners) async {
        let changes = self.store.changes(
            every: Self.storeInterval,
            silence: Self.storeSilence,
            masterKey: self.gateway.masterKey,
            after: self.gateway.permissions.published,
            freshness: self.gateway.permissions.freshness
        )
        self.gateway.ownerNotifications.deliver()
        for await change in changes.cancelOnGracefulShutdown() {
            switch change {
            case .published(let published):
                let isReplaced = self.gateway.store.publish(published)
                if isReplaced {
                    self.logger.notice("the store's file was replaced; the new one is in force")
                }
                if self.gateway.permissions.restrict(.store, isInForce: false) {
                    self.logger.notice("the store can be read again")
                }
                self.gateway.permissions.freshness.applied(published)
            case .unreadable(let refusal):
                // Fail closed: the last snapshot may grant what was revoked since.
                self.gateway.store.refuse(refusal)
                self.logger.error(
                    "shared mailboxes are refused until the store can be read",
                    metadata: ["error": "\(refusal)"]
                )
            }
            listeners.permissionsChanged()
            self.gateway.ownerNotifications.deliver()
        }
    }
}
