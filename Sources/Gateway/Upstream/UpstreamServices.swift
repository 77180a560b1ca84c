import Access
import Logging
import NIOCore
import Store

/// What connections to mail servers share, whoever makes them: sessions, conversations without a client, and
/// background work. Each member is safe to use from any event loop.
final class UpstreamServices: Sendable {
    let limits: GatewayConfiguration.Limits
    let permissions: CurrentPermissions
    let credentials: CredentialSource
    let credentialBreaker: CredentialBreaker
    let serverLog: ServerLog
    let profiles = ProfileCache()
    let folderLists: FolderLists
    let connector: UpstreamConnector
    let sendingSlots = SendingSlots()
    let clientTLS = ClientContexts()

    init(
        configuration: GatewayConfiguration,
        masterKey: MasterKey,
        permissions: CurrentPermissions,
        descriptors: DescriptorBudget,
        logger: Logger
    ) {
        self.limits = configuration.limits
        self.permissions = permissions
        self.credentials = CredentialSource(masterKey, application: configuration.exchange)
        self.credentialBreaker = CredentialBreaker(
            logger: logger,
            waitingTime: configuration.limits.upstreamTimeout
        ) { permissions.current.endpoints[$0] }
        self.serverLog = ServerLog(logger: logger)
        self.folderLists = FolderLists(lifetime: configuration.limits.folderListTime)
        self.connector = UpstreamConnector(descriptors: descriptors)
    }

    /// What was learnt of an account's server is learnt anew: it says otherwise now, or may.
    func serverChanged(_ account: AccountID) {
        self.profiles.forget(account)
        self.folderLists.foldersChanged(in: account)
    }
}
