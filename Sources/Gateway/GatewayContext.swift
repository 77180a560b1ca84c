import Access
import Logging
import NIOCore
import OAuth
import Session
import Store
import Synchronization
import TLS

/// The services that all connections of a gateway share. Each member is safe to use from any event
/// loop.
final class GatewayContext: Sendable {
    let configuration: GatewayConfiguration
    /// Seals stored credentials and the audit log.
    let masterKey: MasterKey
    let logger: Logger
    /// The permissions in force.
    let permissions: CurrentPermissions
    /// Connections to mail servers.
    let upstream: UpstreamServices
    /// Refreshes cached folder lists.
    let folderRefresher: FolderRefresher
    /// Reads the members of groups from the directory; nil without a directory that is searched.
    let directoryGroups: DirectoryGroupReader?
    /// The state of the store, for sessions and for `doctor`.
    let store: StoreInForce
    /// Password checks on threads of their own.
    let authenticator: Authenticator
    /// The gateways of the other nodes; nil if the store has one gateway.
    let otherNodes: OtherNodes?
    /// Limits connections by address, network and user.
    let admission: Admission
    /// Counts client and server connections.
    let descriptors: DescriptorBudget
    /// Reads and writes the store.
    let storeWriter = BackgroundWriter()
    /// Reads and writes the files of sent copies.
    let fileWriter = BackgroundWriter()
    /// The users' subscriptions to folders of others.
    let subscriptions: Subscriptions
    /// The messages and recipients that users have sent.
    let sendingCounter: SendingCounter
    /// Copies of sent messages for Sent folders.
    let sentCopies: SentCopies
    /// The journal of transfers between accounts, and their recovery.
    let transfers: Transfers
    /// Takes over what dead nodes left.
    let takeover: Takeover
    let audit: AuditLog
    /// Grants that owners change from their mail clients.
    let aclWriter: ACLWriter
    /// Messages to the owners of accounts.
    let ownerNotifications: OwnerNotifications
    /// The limits and the name of submission sessions.
    let submissionSettings: SubmissionSession.Settings
    /// Certificates for `imap` listeners; replaced by ``reloadCertificates()``.
    private let imapTLS: TLSServerContextStore
    /// Certificates for `smtp` listeners; replaced by ``reloadCertificates()``.
    private let submissionTLS: TLSServerContextStore
    /// The number of the newest session.
    private let lastSession = Atomic<UInt64>(0)

    /// - Parameter connector: opens connections to mail servers; nil opens sockets.
    /// - Throws: `StoreError` if the store cannot be read, `TLSError` if a certificate cannot be
    ///   used.
    init(
        configuration: GatewayConfiguration,
        store: PermissionStore,
        masterKey: MasterKey,
        logger: Logger,
        connector: (any UpstreamConnector)? = nil
    ) throws {
        self.configuration = configuration
        self.masterKey = masterKey
        self.logger = logger
        let permissions = CurrentPermissions(try store.load())
        self.permissions = permissions
        self.store = StoreInForce(store, permissions: self.permissions)
        self.descriptors = DescriptorBudget(limit: DescriptorBudget.ofProcess)
        self.upstream = UpstreamServices(
            UpstreamServices.Dependencies(
                limits: configuration.limits,
                hostName: configuration.hostName,
                credentials: CredentialSource(masterKey, application: configuration.exchange),
                permissions: permissions,
                logger: logger,
                connector: connector ?? SocketConnector(descriptors: self.descriptors)
            )
        )
        self.folderRefresher = FolderRefresher(upstream: self.upstream)
        self.directoryGroups = DirectoryGroupReader(
            configuration.authentication.directory,
            store: store,
            permissions: permissions,
            logger: logger
        )
        let otherNodes = OtherNodes(store, logger: logger)
        self.otherNodes = otherNodes
        self.admission = Admission(
            limits: configuration.limits,
            descriptors: self.descriptors,
            shared: otherNodes?.counts
        )
        self.subscriptions = Subscriptions(store: store, writer: self.storeWriter)
        self.sentCopies = SentCopies(
            store: store,
            settleTime: configuration.limits.settleTime,
            writer: self.fileWriter,
            log: self.upstream.serverLog,
            logger: logger
        )
        self.sendingCounter = SendingCounter(
            limits: configuration.limits.sending,
            shared: otherNodes?.counts
        )
        self.transfers = Transfers(
            store: store,
            settleTime: configuration.limits.settleTime,
            writer: self.storeWriter,
            logger: logger
        )
        self.takeover = Takeover(
            store: store,
            transfers: self.transfers,
            sentCopies: self.sentCopies,
            permissions: self.permissions,
            writer: self.storeWriter,
            logger: logger
        )
        self.audit = AuditLog(
            store: store,
            masterKey: masterKey,
            days: configuration.oversight.auditDays,
            logger: logger
        )
        self.authenticator = Authenticator(
            logger: logger,
            sources: AuthenticationSources(
                configuration.authentication,
                others: try Self.sources(
                    configuration.authentication,
                    learner: CredentialLearner(
                        store: store,
                        masterKey: masterKey,
                        permissions: permissions,
                        breaker: self.upstream.credentialBreaker,
                        logger: logger
                    ),
                    upstream: self.upstream
                ),
                noteUse: AppPasswordUses(
                    store: store,
                    permissions: permissions,
                    writer: self.storeWriter,
                    logger: logger
                ).note
            ),
            kept: configuration.keepsLogins
                ? KeptLogins(
                    file: KeptLoginsFile(path: configuration.keptLogins),
                    key: masterKey.keptLoginsKey,
                    logger: logger
                ) : nil,
            failures: otherNodes.map {
                SharedFailures(counts: $0.counts, key: masterKey.countedLoginsKey)
            }
        ) { [audit = self.audit] record in
            audit.append(record)
        }
        self.aclWriter = ACLWriter(
            store: store,
            masterKey: masterKey,
            permissions: self.permissions,
            writer: self.storeWriter,
            logger: logger
        )
        self.ownerNotifications = OwnerNotifications(
            store: store,
            hostName: configuration.hostName,
            writer: self.storeWriter,
            logger: logger
        )
        self.submissionSettings = SubmissionSession.Settings(
            maximumMessageOctets: UInt64(configuration.limits.messageMebibytes) << 20,
            name: configuration.hostName,
            methods: configuration.authentication.methods
        )
        self.imapTLS = try TLSServerContextStore(configuration.imapTLS)
        self.submissionTLS = try TLSServerContextStore(configuration.submissionTLS)
    }
}

/// The sources of logins.
extension GatewayContext {
    /// The sources in use, besides the passwords in the store.
    private static func sources(
        _ settings: AuthenticationSettings,
        learner: CredentialLearner,
        upstream: UpstreamServices
    ) throws -> [any AuthenticationSource] {
        var sources: [any AuthenticationSource] = []
        if settings.uses(.upstream) {
            sources.append(
                UpstreamPasswords(learner: settings.learns ? learner : nil) {
                    upstream.verify($0, credential: $1)
                }
            )
        }
        if settings.uses(.ldap), let directory = settings.directory {
            sources.append(DirectoryPasswords { directory.verify($0, password: $1) })
        }
        if settings.uses(.oauth) {
            let verifier = try TokenVerifier(issuers: settings.issuers) { Moment.current.seconds }
            sources.append(
                AccessTokens(
                    verifier: { await verifier.verify($0) },
                    domains: settings.issuerDomains,
                    shutDown: { verifier.shutDown() }
                )
            )
        }
        return sources
    }
}

/// Certificates and session numbers.
extension GatewayContext {
    /// The TLS context for the next handshake of a listener.
    func serverTLS(for kind: Listener.Kind) -> TLSServerContext {
        switch kind {
        case .imaps, .imap: self.imapTLS.current
        case .submissions, .submission: self.submissionTLS.current
        }
    }

    /// The number of a new session, unique in this run.
    func nextSession() -> UInt64 {
        self.lastSession.add(1, ordering: .relaxed).newValue
    }

    /// Reads the certificates of both protocols again.
    /// - Throws: `TLSError`; the context in use stays then.
    func reloadCertificates() throws {
        try self.imapTLS.reload()
        try self.submissionTLS.reload()
    }
}
