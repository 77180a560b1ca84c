import Access
import Logging
import NIOCore
import NIOTLS
import Session
import Store
import TLS

/// A submitting client's end of a session: hands octets and events to the session's machine and
/// performs what it answers. It decides nothing.
final class SubmissionHandler: ChannelDuplexHandler, SessionHandle, SubmissionConnectionClient {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let gateway: GatewayContext
    let loop: EventLoopSessions
    private let security: Listener.Kind
    let address: SocketAddress?
    var session: SubmissionSession
    var context: ChannelHandlerContext?
    var upstream: SubmissionConnection?
    var copy: SentCopy?
    var permissions: StoreSnapshot
    var clock: SubmissionClock
    private var hasGreeted = false
    private var needsFlush = false
    private var hasPendingRead = false
    /// Commands wait in the session until the client takes answers.
    var readsOnWhenWritable = false
    /// Work is put off after the channel is gone, too.
    var eventLoop: (any EventLoop)?
    private var isPerforming = false
    /// Among the connections of its network that are not logged in.
    var arrival: Admission.Arrival?
    /// The login that is being checked.
    var pendingLogin: Authenticator.Handle?
    /// Among the user's connections, from the login on.
    var place: Admission.ConnectionSlot?
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
        self.clock = SubmissionClock(limits: gateway.configuration.limits)
        self.session = SubmissionSession(
            settings: gateway.submissionSettings,
            counter: gateway.sendingCounter,
            copySpace: gateway.sentCopies.space,
            snapshot: self.permissions.access,
            hasTLS: security.isImplicitTLS,
            at: .current
        )
    }

    /// Whether the client takes more octets now; its server is read only then.
    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.eventLoop = context.eventLoop
        self.loop.add(self)
        self.scheduleTimeout(context.eventLoop)
        if context.channel.isActive, !self.security.isImplicitTLS { self.greet() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.leaveLoop()
    }

    /// A session outlasts its client while a server has not answered its message.
    private func leaveLoop() {
        guard self.context == nil, !self.session.hasTransaction else { return }
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
            self.upstream?.resumeReading()
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
        guard self.isWritable, self.session.wantsClientOctets, self.copy?.isWritable ?? true else {
            return false
        }
        return !self.session.isStreaming || self.upstream?.isWritable ?? true
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

    func permissionsChanged() {
        self.takePermissions()
        self.perform()
    }

    func shutDown() {
        self.session.shutdownRequested()
        self.perform()
    }

    func endByAdministrator() {
        self.session.endRequested()
        self.perform()
    }

    func auditDue() {
        self.trail.flush(self.permissions.access)
    }

    var isSending: Bool { self.session.hasTransaction }

    var summary: SessionSummary? {
        guard let (number, since) = self.began, let user = self.session.authenticatedUser else {
            return nil
        }
        return SessionSummary(
            session: number,
            user: self.permissions.access.users[user]?.login.description ?? "",
            protocol: "submission",
            from: self.address?.ipAddress,
            since: since.seconds
        )
    }

    func upstreamConnected(_ credential: ServerCredential, startsTLS: Bool) {
        self.takePermissions()
        self.session.upstreamConnected(credential, startsTLS: startsTLS)
        self.perform()
    }

    func upstreamTLSEstablished() {
        self.takePermissions()
        self.session.upstreamTLSEstablished()
        self.perform()
    }

    func upstreamFailed(_ fault: SubmissionFault) {
        self.upstream = nil
        self.takePermissions()
        self.session.upstreamFailed(fault)
        self.perform()
    }

    func upstreamOctetsReceived(_ octets: ByteBuffer) {
        self.clock.serverSpoke()
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.upstreamOctetsReceived(octets, at: .current)
        self.perform()
    }

    func upstreamClosed() {
        self.upstream = nil
        self.takePermissions()
        self.session.upstreamClosed()
        self.perform()
    }

    func upstreamWritabilityChanged() {
        self.resumeReading()
    }

    /// Nothing is judged by permissions older than those in force.
    func takePermissions() {
        let current = self.gateway.permissions.current
        guard current !== self.permissions else { return self.session.timePassed(at: .current) }
        if let user = self.session.authenticatedUser, !current.knows(user, as: self.permissions) {
            self.session.endRequested()
        }
        self.permissions = current
        if let target = self.upstream?.target,
            current.endpoints[target.id]?.sendingServer != target.sendingServer
        {
            self.session.serverChanged()
        }
        self.session.snapshotChanged(current.access, at: .current)
    }

    // MARK: - Effects

    func perform() {
        guard !self.isPerforming else { return }
        self.isPerforming = true
        var actions: [SubmissionAction] = []
        self.session.takeActions(into: &actions)
        while !actions.isEmpty {
            for action in actions { self.perform(action) }
            self.session.takeActions(into: &actions)
        }
        self.isPerforming = false
        self.watchClock()
        self.resumeReading()
        self.leaveLoop()
    }

    private func perform(_ action: SubmissionAction) {
        switch action {
        case .toClient(let octets):
            self.context?.write(self.wrapOutboundOut(octets), promise: nil)
            self.flushLater()
        case .toUpstream(let octets):
            self.upstream?.write(octets)
            self.flushLater()
        case .openUpstream(let account):
            self.openUpstream(account)
        case .startUpstreamTLS:
            self.upstream?.startTLS()
        case .loginFailed(let fault):
            self.upstream?.loginFailed(fault)
        case .closeUpstream:
            self.upstream?.close()
            self.upstream = nil
        case .leaveUpstreamLogin:
            self.upstream?.leaveLogin()
            self.upstream = nil
        case .credentialSent:
            self.upstream?.credentialSent()
        case .loggedIn:
            self.upstream?.loggedIn()
        case .keepCopy(let octets):
            self.keepCopy(octets)
        case .syncCopy(let number):
            self.syncCopy(number)
        case .fileCopy(let number, let accounts, let own, let messageID):
            self.fileCopy(number, for: accounts, own: own, messageID: messageID)
        case .dropCopy:
            self.copy?.drop()
            self.copy = nil
        case .audit(let event):
            self.trail.record(event, snapshot: self.permissions.access)
        case .authenticate(let credentials):
            self.authenticate(credentials)
        case .startTLS:
            self.startTLS()
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
        self.upstream?.flush()
    }

    func resumeReading() {
        guard self.hasPendingRead, self.wantsOctets else { return }
        self.hasPendingRead = false
        self.context?.read()
    }

    private func openUpstream(_ account: AccountID) {
        guard let context = self.context, let target = self.permissions.endpoints[account],
            let endpoint = target.smtp
        else { return self.session.upstreamFailed(.noServer) }
        let connection = SubmissionConnection(
            endpoint: endpoint,
            target: target,
            user: self.session.authenticatedUser,
            client: self,
            upstream: self.gateway.upstream
        )
        self.upstream = connection
        connection.open(on: context.eventLoop)
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
