import Access
import Logging
import NIOCore
import NIOTLS
import Session
import Store

/// A client's end of a session: hands octets and events to the session's machine and performs what it answers. It
/// decides nothing.
///
/// All that the protocols have in common is in extensions of this, which the compiler specialises for each of them. A
/// protocol's own class has its machine, its actions, its servers and its timers.
protocol ClientHandler: ClientConnection, ChannelDuplexHandler, SessionHandle, SendableMetatype
where InboundIn == ByteBuffer, OutboundIn == ByteBuffer, OutboundOut == ByteBuffer {
    associatedtype Machine: ClientSessionMachine

    /// What a login is for.
    static var service: CredentialService { get }

    var session: Machine { get set }
    /// Storage for the next actions, without any.
    var spare: [Machine.Action] { get set }

    func perform(_ action: Machine.Action)
    /// All actions that there were are performed.
    func actionsPerformed()

    /// Whether the server that the client's octets go on to takes more of them.
    var takesClientOctets: Bool { get }
    func flushUpstream()
    /// Reads servers of which nothing was read while nobody took it.
    func resumeReadingUpstream()
    /// Tells the session of servers that are other ones by other permissions, before it is told of these.
    func upstreamsChanged(to permissions: StoreSnapshot)
    /// What is known of servers' capabilities when a login succeeds.
    var knownProfiles: [AccountID: UpstreamProfile?] { get }

    /// The client takes octets again.
    func clientWritable()
    /// Looks at the clock, and does what is due.
    /// - Returns: false where the client has been silent for too long.
    func checkClock() -> Bool
    /// Ends what would keep a session whose client is gone.
    func cancelTimers()
}

// MARK: - The channel

extension ClientHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.sessions.add(self)
        self.scheduleTimeout()
        if context.channel.isActive, !self.security.isImplicitTLS { self.greet() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.leaveLoop()
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
            self.clientClosed()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.clock.touch(at: self.eventLoop.now)
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.clientOctetsReceived(self.unwrapInboundIn(data), at: .current)
        self.perform()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            self.clientWritable()
            self.resumeReading()
            if self.readsOnWhenWritable { self.readOnLater() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.clientClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.gateway.logger.debug(
            "client connection failed",
            metadata: ["error": "\(ConnectionFailure(error).reason)"]
        )
        self.clientClosed()
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        guard self.wantsOctets else {
            self.hasPendingRead = true
            return
        }
        context.read()
    }

    private func greet() {
        guard !self.hasGreeted else { return }
        self.hasGreeted = true
        self.session.opened()
        self.perform()
    }

    private func clientClosed() {
        if let login = self.pendingLogin { self.gateway.authenticator.cancel(login) }
        self.pendingLogin = nil
        self.arrival = nil
        self.session.clientClosed()
        self.perform()
        self.trail.flush(self.permissions.access)
        self.slot = nil
    }

    /// A session outlasts its client while a server has not answered its message.
    var isOver: Bool { self.context == nil && !self.session.hasTransaction }

    func leaveLoop() {
        guard self.isOver else { return }
        // Each of them holds the handler, and with it the permissions as they were.
        self.timeout?.cancel()
        self.timeout = nil
        self.cancelTimers()
        self.sessions.remove(self)
    }
}
