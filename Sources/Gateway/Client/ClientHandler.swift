import Access
import Logging
import NIOCore
import NIOTLS
import Session
import Store

/// The client's side of a session: it delivers octets and events to the session's state machine and
/// performs the machine's actions. It makes no decision about the protocol.
///
/// What the protocols have in common is in extensions, which the compiler specialises. A protocol's
/// own class has its state machine, its actions, its servers and its timers.
protocol ClientHandler: ClientConnection, ChannelDuplexHandler, SessionHandle, SendableMetatype
where InboundIn == ByteBuffer, OutboundIn == ByteBuffer, OutboundOut == ByteBuffer {
    associatedtype Machine: ClientSessionMachine

    /// The protocol for which a client logs in.
    static var service: CredentialService { get }

    /// The last line of a connection whose record the audit log did not take, with its end.
    static var farewellWithoutAudit: String { get }

    /// The protocol's state machine.
    var session: Machine { get set }
    /// An empty array whose storage the next actions reuse.
    var spare: [Machine.Action] { get set }

    /// Performs one action of the state machine.
    func perform(_ action: Machine.Action)
    /// Called after all pending actions were performed.
    func actionsPerformed()

    /// Back-pressure: whether the server that receives the client's octets takes more of them.
    var takesClientOctets: Bool { get }
    /// Flushes buffered octets to the servers.
    func flushUpstream()
    /// Resumes reads from servers that back-pressure held back.
    func resumeReadingUpstream()
    /// Tells the session which servers change with new permissions, before it learns of the
    /// permissions.
    func upstreamsChanged(to permissions: StoreSnapshot)
    /// The cached profiles of servers, for the capabilities that are offered after the login.
    func knownProfiles(of user: UserID) -> [AccountID: UpstreamProfile?]

    /// The client takes octets again.
    func clientWritable()
    /// Checks the clock, and performs what is due.
    /// - Returns: false if the client has been silent for too long.
    func checkClock() -> Bool
    /// Cancels the timers that would retain a session whose client has gone.
    func cancelTimers()
}

// MARK: - The channel

/// Events of the client's channel. The event loop calls all of them.
extension ClientHandler {
    /// The connection was accepted. Without implicit TLS the session greets as soon as the channel
    /// is active.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.isChannelWritable = context.channel.isWritable
        self.sessions.add(self)
        self.scheduleTimeout()
        if context.channel.isActive, !self.security.isImplicitTLS { self.greet() }
    }

    /// The channel is gone; the session may still wait for a server.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.leaveLoop()
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.security.isImplicitTLS { self.greet() }
        context.fireChannelActive()
    }

    /// TLS was established, or the client has closed its sending side.
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

    /// Octets of the client, decrypted.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.clock.touch(at: self.eventLoop.now)
        self.takePermissions()
        self.yieldLoopWithoutTime()
        self.session.clientOctetsReceived(self.unwrapInboundIn(data), at: .current)
        self.perform()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.isChannelWritable = context.channel.isWritable
        if self.isWritable {
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

    /// An I/O or TLS error: the connection is over. Logged at level debug only, because any client
    /// can cause it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.gateway.logger.debug(
            "client connection failed",
            metadata: ["error": "\(ConnectionFailure(error).reason)"]
        )
        self.clientClosed()
        context.close(promise: nil)
    }

    /// Back-pressure: a read is held back until the session wants octets.
    func read(context: ChannelHandlerContext) {
        guard self.wantsOctets else {
            self.hasPendingRead = true
            return
        }
        context.read()
    }

    /// Starts the session, once: after the handshake of implicit TLS, otherwise at once.
    private func greet() {
        guard !self.hasGreeted else { return }
        self.hasGreeted = true
        self.session.opened()
        self.perform()
    }

    /// The client has closed the connection, or the connection has failed.
    private func clientClosed() {
        if let login = self.pendingLogin { self.gateway.authenticator.cancel(login) }
        self.pendingLogin = nil
        self.arrival = nil
        self.session.clientClosed()
        self.perform()
        self.trail.flush(self.permissions.access)
        self.slot = nil
    }

    /// Whether the session has ended. A session outlasts its client while a server has not answered
    /// its message.
    var isOver: Bool { self.context == nil && !self.session.read({ $0.hasTransaction }) }

    /// Releases a session that is over.
    func leaveLoop() {
        guard self.isOver else { return }
        // Each timer retains the handler, and with it an old snapshot of the permissions.
        self.timeout?.cancel()
        self.timeout = nil
        self.expiry?.cancel()
        self.expiry = nil
        self.cancelTimers()
        self.sessions.remove(self)
    }
}
