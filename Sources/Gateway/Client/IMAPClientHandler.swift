import Access
import IMAP
import NIOCore
import Session
import Store

/// The client's side of an IMAP session, with a connection to the server of each account that the
/// session uses.
final class IMAPClientHandler: ClientConnection, ClientHandler {
    static var service: CredentialService { .imap }
    static var farewellWithoutAudit: String {
        "* BYE [UNAVAILABLE] The audit log cannot be written; what became of this is not known\r\n"
    }

    /// The state machine of the IMAP session.
    var session: ClientSession
    var spare: [Action] = []
    /// The open connections, by account.
    var upstreams: [AccountID: UpstreamConnection] = [:]
    /// Servers that were silent for too long and are not asked for a while.
    var silent: [AccountID: Silence] = [:]
    /// The next poll of servers without IDLE.
    var poll: Scheduled<Void>?
    /// The next progress report of a long command.
    var report: Scheduled<Void>?
    /// The end of a response whose account was revoked.
    var revocation: Scheduled<Void>?
    /// The next look for unused connections.
    var sweep: Scheduled<Void>?
    /// The end of the client's waiting time for servers that do not answer.
    var waitingLimit: Scheduled<Void>?
    /// The next look for servers that owe an answer.
    var silenceCheck: Scheduled<Void>?

    /// Creates the session before the login, with the limits and permissions in force.
    init(
        gateway: GatewayContext,
        sessions: EventLoopSessions,
        security: Listener.Kind,
        address: SocketAddress?,
        eventLoop: any EventLoop
    ) {
        let permissions = gateway.permissions.current
        let limits = gateway.configuration.limits
        self.session = ClientSession(
            snapshot: permissions.access,
            hasTLS: security.isImplicitTLS,
            subscribesShared: gateway.configuration.subscribesShared,
            methods: gateway.submissionSettings.methods,
            at: .current
        )
        super.init(
            gateway: gateway,
            sessions: sessions,
            security: security,
            address: address,
            eventLoop: eventLoop,
            permissions: permissions,
            clock: SessionClock(
                beforeLogin: limits.loginTimeout,
                afterLogin: limits.idleTimeout,
                at: eventLoop.now
            )
        )
    }

    /// The cached profiles of the accounts that a user sees.
    func knownProfiles(of user: UserID) -> [AccountID: UpstreamProfile?] {
        let visible = self.permissions.access.accounts(visibleTo: user, at: .current)
        return self.gateway.upstream.profiles.known(
            of: visible.compactMap { self.permissions.endpoints[$0.id] }
        )
    }

    /// Does nothing: the clock of IMAP depends on octets only.
    func actionsPerformed() {}

    /// One line for each action; the extensions do the work.
    func perform(_ action: Action) {
        switch action {
        case .toClient(let octets): self.write(octets)
        case .toUpstream(let account, let octets): self.write(octets, to: account)
        case .openUpstream(let account): self.openUpstream(account)
        case .closeUpstream(let account): self.upstreams.removeValue(forKey: account)?.close()
        case .leaveUpstream(let account, let request): self.leaveUpstream(account, request: request)
        case .pauseUpstream(let account, let milliseconds):
            self.upstreams[account]?.pause(.milliseconds(Int64(milliseconds)))
        case .upstreamFailed(let account, let failure): self.upstreams[account]?.failed(failure)
        case .lineUnreadable(let account, let line): self.upstreams[account]?.unreadable(line)
        case .serverRefused(let account, let refusal): self.upstreams[account]?.refused(refusal)
        case .forgetProfile(let account): self.gateway.upstream.serverChanged(account)
        case .loadSubscriptions(let user): self.loadSubscriptions(user)
        case .changeSubscription(let change): self.changeSubscription(change)
        case .lookUpFolders(let keys): self.lookUpFolders(keys)
        case .keepFolders(let key, let folders, let generation):
            self.keepFolders(key, folders: folders, generation: generation)
        case .refreshFolders(let account): self.refreshFolders(account)
        case .foldersChanged(let account):
            self.gateway.upstream.folderLists.foldersChanged(in: account)
        case .limitWaiting: self.limitWaiting()
        case .serverStalled(let account): self.serverStalled(account)
        case .pollLater: self.schedulePoll()
        case .journal(let request): self.journal(request)
        case .reportLater: self.scheduleReport()
        case .changeACL(let change): self.changeACL(change)
        case .revokeLater: self.scheduleRevocation()
        case .audit(let event): self.audit(event)
        case .authenticate(let credentials): self.authenticate(credentials)
        case .startTLS: self.startTLS()
        case .readLater: self.readOnLater()
        case .closeClient: self.closeClient()
        }
    }
}
