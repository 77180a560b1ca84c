import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization
import TLS

/// What every connection of a gateway shares. Each member is safe to use from any event loop.
final class Environment: Sendable {
    let configuration: GatewayConfiguration
    let masterKey: MasterKey
    let credentials: CredentialSource
    let credentialBreaker: CredentialBreaker
    let logger: Logger
    let serverLog: ServerLog
    let permissions: CurrentPermissions
    /// What `doctor` is told of the store.
    let store: StoreInForce
    let profiles: ProfileCache
    let folderLists: FolderLists
    let authenticator: Authenticator
    let admission: Admission
    let descriptors: DescriptorBudget
    let dialler: Dialler
    let subscriptions: Subscriptions
    let sendingCounter: SendingCounter
    let sendingSlots = SendingSlots()
    let sentCopies: SentCopies
    let transfers: Transfers
    let audit: AuditLog
    let sharing: SharingByHand
    let notices: Notices
    let submissionSettings: SubmissionSession.Settings
    private let imapTLS: TLSServerContextStore
    private let submissionTLS: TLSServerContextStore
    let clientTLS: ClientContexts
    private let lastSession = Atomic<UInt64>(0)

    init(
        configuration: GatewayConfiguration,
        store: PermissionStore,
        masterKey: MasterKey,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.masterKey = masterKey
        self.credentials = CredentialSource(masterKey, application: configuration.exchange)
        self.logger = logger
        self.serverLog = ServerLog(logger: logger)
        let permissions = CurrentPermissions(try store.load())
        self.permissions = permissions
        self.credentialBreaker = CredentialBreaker(
            logger: logger,
            waitingTime: configuration.limits.upstreamTimeout
        ) { permissions.current.endpoints[$0] }
        self.store = StoreInForce(store, permissions: self.permissions)
        self.profiles = ProfileCache()
        self.folderLists = FolderLists(lifetime: configuration.limits.folderListTime)
        self.descriptors = DescriptorBudget(limit: DescriptorBudget.ofProcess)
        self.admission = Admission(limits: configuration.limits, descriptors: self.descriptors)
        self.dialler = Dialler(descriptors: self.descriptors)
        self.subscriptions = Subscriptions(store: store)
        self.sentCopies = SentCopies(
            store: configuration.store,
            log: self.serverLog,
            logger: logger
        )
        self.sendingCounter = SendingCounter(limits: configuration.limits.sending)
        self.transfers = Transfers(
            store: store,
            settleTime: configuration.limits.settleTime,
            logger: logger
        )
        self.audit = AuditLog(
            store: store,
            masterKey: masterKey,
            days: configuration.oversight.auditDays,
            logger: logger
        )
        self.authenticator = Authenticator(logger: logger) { [audit = self.audit] record in
            audit.append(record)
        }
        self.sharing = SharingByHand(
            store: store,
            masterKey: masterKey,
            permissions: self.permissions,
            logger: logger
        )
        self.notices = Notices(store: store, hostName: configuration.hostName, logger: logger)
        self.submissionSettings = SubmissionSession.Settings(
            maximumMessageOctets: UInt64(configuration.limits.messageMebibytes) << 20,
            name: configuration.hostName
        )
        self.imapTLS = try TLSServerContextStore(configuration.imapTLS)
        self.submissionTLS = try TLSServerContextStore(configuration.submissionTLS)
        self.clientTLS = ClientContexts()
    }
}

extension Environment {
    /// The TLS context that a listener's next handshake uses.
    func serverTLS(for kind: Listener.Kind) -> TLSServerContext {
        switch kind {
        case .imaps, .imap: self.imapTLS.current
        case .submissions, .submission: self.submissionTLS.current
        }
    }

    /// The number of a new session.
    func nextSession() -> UInt64 {
        self.lastSession.add(1, ordering: .relaxed).newValue
    }

    /// What was learnt of an account's server is learnt anew: it says otherwise now, or may.
    func serverChanged(_ account: AccountID) {
        self.profiles.forget(account)
        self.folderLists.foldersChanged(in: account)
    }

    /// Reads the certificates again.
    func reloadCertificates() throws {
        try self.imapTLS.reload()
        try self.submissionTLS.reload()
    }
}

/// The permissions in force: replaced as a whole when the store changes.
final class CurrentPermissions: Sendable {
    /// Why nothing is shared for now, whatever is granted.
    enum Restriction {
        /// It cannot be written, and has to be.
        case auditLog
        /// It cannot be read, and may say something else by now.
        case store
    }

    private struct State {
        var published: Published
        /// What sessions see; owners alone while nothing else may be opened.
        var current: Published
        var restrictions: Set<Restriction> = []
    }

    private let state: Mutex<State>
    private let withoutSharing: @Sendable (Published) -> Published

    /// - Parameter withoutSharing: the same permissions with owners alone.
    init(
        _ published: Published,
        withoutSharing: @escaping @Sendable (Published) -> Published = { $0.withoutSharing }
    ) {
        self.state = Mutex(State(published: published, current: published))
        self.withoutSharing = withoutSharing
    }

    var current: Published {
        self.state.withLock { $0.current }
    }

    func isRestricted(by restriction: Restriction) -> Bool {
        self.state.withLock { $0.restrictions.contains(restriction) }
    }

    /// Puts others into force; older ones than those in force change nothing.
    func replace(with published: Published) {
        self.change { state in
            guard !published.isOlder(than: state.published) else { return false }
            state.published = published
            return true
        }
    }

    /// Puts a restriction into force, or takes it away.
    /// - Returns: whether that changed anything.
    @discardableResult
    func restrict(_ restriction: Restriction, isInForce: Bool) -> Bool {
        self.change { state in
            guard state.restrictions.contains(restriction) != isInForce else { return false }
            if isInForce {
                state.restrictions.insert(restriction)
            } else {
                state.restrictions.remove(restriction)
            }
            return true
        }
    }

    /// Makes a change, and sets what sessions see by it. Permissions without sharing are built outside the lock,
    /// which every event loop takes for each command; another change in the meantime begins the work anew.
    /// - Parameter change: returns false for no change; may be called more than once.
    /// - Returns: whether there was a change.
    @discardableResult
    private func change(_ change: (inout State) -> Bool) -> Bool {
        var restricted: (of: Published, value: Published)?
        while true {
            var missing: Published?
            let hasChanged = self.state.withLock { state in
                var next = state
                guard change(&next) else { return false }
                if next.restrictions.isEmpty {
                    next.current = next.published
                } else if let restricted, restricted.of === next.published {
                    next.current = restricted.value
                } else {
                    missing = next.published
                    return false
                }
                state = next
                return true
            }
            guard let missing else { return hasChanged }
            restricted = (missing, self.withoutSharing(missing))
        }
    }
}

/// TLS towards servers: one context for each set of trusted certificates.
final class ClientContexts: Sendable {
    private let contexts = Mutex<[ExactText: TLSClientContext]>([:])

    func context(for endpoint: Endpoint) throws -> TLSClientContext {
        let key = ExactText(endpoint.caFile ?? "")
        return try self.contexts.withLock { contexts in
            if let context = contexts[key] { return context }
            let context = try TLSClientContext(
                TLSClientConfiguration(caFile: endpoint.caFile, alpn: [])
            )
            contexts[key] = context
            return context
        }
    }
}
