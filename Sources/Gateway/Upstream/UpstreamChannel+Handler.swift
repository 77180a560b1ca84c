import NIOCore
import NIOTLS
import Session
import Store

/// Events of the channel. The event loop calls all of them.
extension UpstreamChannel: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        if self.context == nil { self.attempts.append(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.attempts.removeAll { $0 === context }
        if self.isOwn(context) { self.context = nil }
    }

    /// Whether an event is one of the connection. A host with several addresses is tried at a few of
    /// them at the same time, each with a channel; the first one that is established counts (RFC
    /// 8305 §5).
    private func isOwn(_ context: ChannelHandlerContext) -> Bool { self.context === context }

    /// A TCP connection is established: the first one is used, unless the connection was closed while
    /// it was being opened.
    func channelActive(context: ChannelHandlerContext) {
        guard !self.isClosed, self.context == nil else { return context.close(promise: nil) }
        self.context = context
        self.attempts = []
        self.isChannelWritable = context.channel.isWritable
        if self.route.endpoint.tls != .implicit { self.beginLogin() }
    }

    /// TLS was established, or the server has closed its sending side.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            if self.isOwn(context) { self.handshakeCompleted() }
        case ChannelEvent.inputClosed, TLSUserEvent.shutdownCompleted:
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Octets before the login ends go to the login's state machine, later octets to the delegate.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.isOwn(context) else { return }
        self.clock.octetsMoved(at: self.loop.now)
        switch self.phase {
        case .ready: self.delegate?.channelReceived(self.unwrapInboundIn(data))
        case .loggingIn: self.loginOctetsReceived(self.unwrapInboundIn(data))
        case .opening, .closed: break
        }
    }

    /// The server took octets that waited.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard self.isOwn(context) else { return }
        self.isChannelWritable = context.channel.isWritable
        guard self.isChannelWritable else { return }
        self.clock.octetsMoved(at: self.loop.now)
        self.delegate?.channelBecameWritable()
    }

    /// The connection has ended.
    func channelInactive(context: ChannelHandlerContext) {
        guard self.isOwn(context) else { return }
        switch self.phase {
        case .opening, .loggingIn: self.fail(.closed)
        case .ready: self.detach()?.channelClosed()
        case .closed: break
        }
    }

    /// An I/O or TLS error: the connection is over.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !self.isClosed, self.context == nil || self.isOwn(context) else {
            return context.close(promise: nil)
        }
        self.log("failed", error: "\(ConnectionFailure(error))")
        switch self.phase {
        case .opening, .loggingIn: self.fail(.connection(error), isLogged: true)
        case .ready, .closed: context.close(promise: nil)
        }
    }

    // MARK: - Back-pressure

    /// Back-pressure: while the delegate takes no octets, the server is not read.
    func read(context: ChannelHandlerContext) {
        if case .ready = self.phase, let delegate = self.delegate, !delegate.wantsOctets {
            self.hasPendingRead = true
            self.clock.readingStopped(at: self.loop.now)
        } else {
            context.read()
        }
    }

    /// The delegate takes octets again.
    func resumeReading() {
        guard self.hasPendingRead, self.delegate?.wantsOctets ?? true else { return }
        self.hasPendingRead = false
        self.clock.readingResumed(at: self.loop.now)
        self.context?.read()
    }

    // MARK: - Silence

    /// Whether the server has been silent for too long about an answer that it owes. If so, this is
    /// logged.
    func isSilent(_ awaited: AwaitedAnswer) -> Bool {
        guard self.clock.isExpired(awaited, isWritable: self.isWritable, at: self.loop.now) else {
            return false
        }
        self.log("stopped answering", error: nil)
        return true
    }
}
