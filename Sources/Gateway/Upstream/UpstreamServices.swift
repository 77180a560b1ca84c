import Access
import Logging
import NIOCore
import Store

/// What all connections to mail servers share: of sessions, conversations and background work. Each
/// member is safe to use from any event loop.
final class UpstreamServices: Sendable {
    /// The part `limits` of the configuration.
    let limits: GatewayConfiguration.Limits
    /// The gateway's name in EHLO.
    let hostName: String
    /// The servers and credentials in force.
    let permissions: CurrentPermissions
    /// Unseals passwords, and fetches tokens.
    let credentials: CredentialSource
    /// Protects stored credentials from repeated failures.
    let credentialBreaker: CredentialBreaker
    /// Logs failures at a limited rate.
    let serverLog: ServerLog
    /// What servers offer, and which ones are failing.
    let profiles: ProfileCache
    /// The folders that servers listed last.
    let folderLists: FolderLists
    /// Opens TCP connections.
    let connector: any UpstreamConnector
    /// Limits the connections to mailboxes at Exchange.
    let sendingSlots = SendingSlots()
    /// TLS contexts by their trusted certificates.
    let clientTLS = ClientContexts()

    /// The values that the services are built from.
    struct Dependencies {
        var limits = GatewayConfiguration.Limits()
        var hostName: String
        let credentials: CredentialSource
        let permissions: CurrentPermissions
        let logger: Logger
        var connector: any UpstreamConnector
        /// The clock; the same as the event loops' clock.
        var now: @Sendable () -> NIODeadline = { .now() }
    }

    init(_ dependencies: Dependencies) {
        let (limits, permissions) = (dependencies.limits, dependencies.permissions)
        self.limits = limits
        self.hostName = dependencies.hostName
        self.permissions = permissions
        self.credentials = dependencies.credentials
        self.credentialBreaker = CredentialBreaker(
            logger: dependencies.logger,
            waitingTime: limits.upstreamTimeout,
            now: dependencies.now
        ) { permissions.current.endpoints[$0] }
        self.serverLog = ServerLog(logger: dependencies.logger)
        self.profiles = ProfileCache(now: dependencies.now)
        self.folderLists = FolderLists(lifetime: limits.folderListTime, now: dependencies.now)
        self.connector = dependencies.connector
    }

    /// Drops what was learnt from an account's server, because it may have changed.
    func serverChanged(_ account: AccountID) {
        self.profiles.forget(account)
        self.folderLists.foldersChanged(in: account)
    }
}
