import Access
import IMAP
import Logging
import NIOCore
import NIOTLS
import Session
import Store
import TLS

/// A client's end of a session: hands octets and events to the session's machine and performs what
/// it answers. It decides nothing.
final class ClientHandler: ChannelDuplexHandler, SessionHandle, UpstreamConnectionClient {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let gateway: GatewayContext
    let loop: EventLoopSessions
    private let security: Listener.Kind
    let address: SocketAddress?
    var session: ClientSession
    var context: ChannelHandlerContext?
    /// The journal is written to after the channel is gone, too.
    var eventLoop: (any EventLoop)?
    var upstreams: [AccountID: UpstreamConnection] = [:]
    var permissions: StoreSnapshot
    var clock: SessionClock
    private var hasGreeted = false
    private var needsFlush = false
    private var hasPendingRead = false
    /// Commands wait in the session until the client takes answers.
    var readsOnWhenWritable = false
    var poll: Scheduled<Void>?
    var report: Scheduled<Void>?
    private var isPerforming = false
    /// Storage for the next actions, without any.
    private var spare: [Action] = []
    /// Among the connections of its network that are not logged in.
    var arrival: Admission.Arrival?
    /// The login that is being checked.
    var pendingLogin: Authenticator.Handle?
    /// Among the user's connections, from the login on.
    var place: Admission.ConnectionSlot?
    /// Revoked in the middle of a response.
    var revocation: Scheduled<Void>?
    /// The next look at the clock.
    var timeout: Scheduled<Void>?
    /// The next look for connections to servers that nothing uses.
    var sweep: Scheduled<Void>?
    /// When the client has waited long enough for servers that do not answer.
    var waitingLimit: Scheduled<Void>?
    /// The next look for servers that owe an answer.
    var silenceCheck: Scheduled<Void>?
    /// Servers that were silent for too long, which are not asked again yet.
    var silent: [AccountID: Silence] = [:]
    var trail: AuditTrail
    /// The session's number and its beginning, once somebody is logged in.
    var began: (number: UInt64, at: Moment)?

    init(
        gateway: GatewayContext,
        loop: EventLoopSessions,
        security: Listener.Kind,
        address: SocketAddress?
    ) {
        self.gateway = gateway
        self.loop = loop
        self.security = security
        self.address = address
        self.permissions = gateway.permissions.current
        self.trail = AuditTrail(gateway.audit, address: address)
        self.clock = SessionClock(limits: gateway.configuration.limits)
        self.session = ClientSession(
            snapshot: self.permissions.access,
            hasTLS: security.isImplicitTLS,
            subscribesShared: gateway.configuration.subscribesShared,
            at: .current
        )
    }

    /// Whether a server is read now: while the client, and a server that its messages go to, take
    /// what came before.
    func wantsOctets(from account: AccountID) -> Bool {
        guard self.context?.channel.isWritable ?? false, self.session.wantsOctets(from: account)
        else { return false }
        guard let destination = self.session.transferDestination(from: account) else { return true }
        return self.upstreams[destination]?.isWritable ?? true
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.eventLoop = context.eventLoop
        self.loop.add(self)
        self.scheduleTimeout(context)
        if context.channel.isActive, !self.security.isImplicitTLS { self.greet() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        // Each of them holds the handler, and with it the permissions as they were.
        for task in [
            self.timeout, self.poll, self.report, self.revocation, self.sweep, self.silenceCheck,
            self.waitingLimit,
        ] {
            task?.cancel()
        }
        self.loop.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.security.isImplicitTLS { self.greet() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            if self.security.isImplicitTLS {
                self.greet()
            } else {
                self.session.tlsEstablished()
                self.perform()
            }
        case ChannelEvent.inputClosed:
            self.closed()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.clock.touch()
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.clientOctetsReceived(self.unwrapInboundIn(data), at: .current)
        self.perform()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            // Its client takes what it is told, if slowly.
            if self.session.isTransferring { self.clock.touch() }
            // Only now the servers are read again.
            if self.waitingLimit != nil { self.limitWaiting() }
            self.resumeReading()
            if self.readsOnWhenWritable { self.readOnLater() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.gateway.logger.debug("client connection failed", metadata: ["error": "\(error)"])
        self.closed()
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        guard self.wantsOctets else {
            self.hasPendingRead = true
            return
        }
        context.read()
    }

    /// Octets are wanted while the client takes the answers, the session can take them, and the server
    /// that a message goes to takes what came before.
    private var wantsOctets: Bool {
        guard self.context?.channel.isWritable ?? false, self.session.wantsClientOctets else {
            return false
        }
        guard let destination = self.session.messageDestination else { return true }
        return self.upstreams[destination]?.isWritable ?? true
    }

    private func greet() {
        guard !self.hasGreeted else { return }
        self.hasGreeted = true
        self.session.opened()
        self.perform()
    }

    private func closed() {
        if let login = self.pendingLogin { self.gateway.authenticator.cancel(login) }
        self.pendingLogin = nil
        self.arrival = nil
        self.session.clientClosed()
        self.perform()
        self.trail.flush(self.permissions.access)
        self.place = nil
    }

    // MARK: - Events from elsewhere on the loop

    /// The store published other permissions.
    func permissionsChanged() {
        self.takePermissions()
        self.perform()
    }

    func shutDown() {
        self.session.shutdownRequested()
        self.perform()
    }

    func upstreamReady(_ account: AccountID, profile: UpstreamProfile, login: UpstreamLogin) {
        self.takePermissions()
        self.session.upstreamReady(
            account,
            profile: profile,
            tags: login.remainingTags,
            identification: login.identification,
            isKnown: login.usesKnown
        )
        self.perform()
    }

    func upstreamFailed(_ account: AccountID, fault: UpstreamFault) {
        self.upstreams[account] = nil
        self.takePermissions()
        self.session.upstreamFailed(account, fault: fault)
        self.perform()
    }

    func upstreamOctetsReceived(_ account: AccountID, octets: ByteBuffer) {
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.upstreamOctetsReceived(account, octets: octets, at: .current)
        self.perform()
        if self.session.isPassing { self.scheduleSilenceCheck() }
    }

    func upstreamClosed(_ account: AccountID) {
        self.upstreams[account] = nil
        self.takePermissions()
        self.session.upstreamClosed(account)
        self.perform()
    }

    func upstreamWritabilityChanged() {
        self.resumeReading()
    }

    /// No octet is judged by permissions older than those in force.
    func takePermissions() {
        let current = self.gateway.permissions.current
        guard current !== self.permissions else { return self.session.timePassed(at: .current) }
        let previous = self.permissions
        self.permissions = current
        self.session.snapshotChanged(current.access, at: .current)
        if let user = self.session.authenticatedUser, !current.knows(user, as: previous) {
            self.session.endRequested()
        }
        for account in self.upstreams.keys
        where previous.endpoints[account]?.server != current.endpoints[account]?.server {
            self.gateway.upstream.serverChanged(account)
            self.session.serverChanged(account)
        }
    }

    // MARK: - Effects

    func perform() {
        guard !self.isPerforming else { return }
        self.isPerforming = true
        var actions: [Action] = []
        swap(&actions, &self.spare)
        self.session.takeActions(into: &actions)
        while !actions.isEmpty {
            for action in actions { self.perform(action) }
            self.session.takeActions(into: &actions)
        }
        swap(&actions, &self.spare)
        self.isPerforming = false
        self.resumeReading()
    }

    private func perform(_ action: Action) {
        switch action {
        case .toClient(let octets):
            self.context?.write(self.wrapOutboundOut(octets), promise: nil)
            self.flushLater()
        case .toUpstream(let account, let octets):
            self.upstreams[account]?.write(octets)
            self.flushLater()
            self.scheduleSilenceCheck()
        case .openUpstream(let account):
            self.openUpstream(account)
        case .closeUpstream(let account):
            self.upstreams.removeValue(forKey: account)?.close()
        case .leaveUpstream(let account, let request):
            self.leaveUpstream(account, request: request)
        case .pauseUpstream(let account, let milliseconds):
            self.upstreams[account]?.pause(.milliseconds(Int64(milliseconds)))
        case .upstreamFailed(let account, let failure):
            self.upstreams[account]?.failed(failure)
        case .lineUnreadable(let account, let line):
            self.upstreams[account]?.unreadable(line)
        case .forgetProfile(let account):
            self.gateway.upstream.serverChanged(account)
        case .serverRefused(let account, let refusal):
            self.upstreams[account]?.refused(refusal)
        case .authenticate(let credentials):
            self.authenticate(credentials)
        case .startTLS:
            self.startTLS()
        case .loadSubscriptions(let user):
            self.loadSubscriptions(user)
        case .changeSubscription(let change):
            self.changeSubscription(change)
        case .lookUpFolders(let keys):
            self.lookUpFolders(keys)
        case .keepFolders(let key, let folders, let generation):
            self.keepFolders(key, folders: folders, generation: generation)
        case .refreshFolders(let account):
            self.refreshFolders(account)
        case .foldersChanged(let account):
            self.gateway.upstream.folderLists.foldersChanged(in: account)
        case .limitWaiting:
            self.limitWaiting()
        case .serverStalled(let account):
            self.serverStalled(account)
        case .pollLater:
            self.schedulePoll()
        case .journal(let request):
            self.journal(request)
        case .reportLater:
            self.scheduleReport()
        case .audit(let event):
            self.trail.record(event, snapshot: self.permissions.access)
        case .changeACL(let change):
            self.changeACL(change)
        case .revokeLater:
            self.scheduleRevocation()
        case .readLater:
            self.readOnLater()
        case .closeClient:
            self.flush()
            self.context?.close(promise: nil)
        }
    }

    private func flushLater() {
        guard !self.needsFlush, let context = self.context else { return }
        self.needsFlush = true
        self.loop.flushLater(self, on: context.eventLoop)
    }

    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.context?.flush()
        for upstream in self.upstreams.values { upstream.flush() }
    }

    private func resumeReading() {
        for upstream in self.upstreams.values { upstream.resumeReading() }
        guard self.hasPendingRead, self.wantsOctets else { return }
        self.hasPendingRead = false
        self.context?.read()
    }

    func removeUpstream(_ account: AccountID) -> UpstreamConnection? {
        self.upstreams.removeValue(forKey: account)
    }

    private func openUpstream(_ account: AccountID) {
        guard let context = self.context, let target = self.permissions.endpoints[account] else {
            return self.session.upstreamFailed(account, fault: .noCredential)
        }
        let connection = UpstreamConnection(
            account: account,
            user: self.session.authenticatedUser,
            client: self,
            upstream: self.gateway.upstream
        )
        self.upstreams[account] = connection
        if self.isSilent(account) { return connection.refuse(on: context.eventLoop) }
        connection.open(target, on: context.eventLoop)
        self.scheduleSweep()
    }

    private func startTLS() {
        guard let context = self.context else { return }
        self.flush()
        do {
            try ServerTLS.add(to: context, self.security, gateway: self.gateway)
        } catch {
            self.gateway.logger.error("STARTTLS failed", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
    }
}
