package import NIOCore
import NIOTLS

/// TLS as a channel handler: ciphertext towards the network, octets towards the rest of the
/// pipeline.
///
/// Added to a connection that already stands (STARTTLS), it begins at once. It fires
/// `TLSUserEvent.handshakeCompleted`, and at the peer's close_notify
/// `TLSUserEvent.shutdownCompleted` and `ChannelEvent.inputClosed`; writing is still possible then,
/// closing is up to the pipeline. Octets written before the handshake ends wait for it. After an
/// error, a ``TLSError``, it closes the connection by itself; an end without close_notify is one.
/// How long the handshake may take is up to the pipeline.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum State {
        case waiting
        case handshaking
        case open
        /// The end of what was written, close_notify last, is on its way; nothing is read any more.
        case closing
        case closed
    }

    /// How long a peer may take to read the end of what it was sent.
    static let closeTime = TimeAmount.seconds(5)

    /// Octets sent, in the life of a connection, only because the peer asked for new keys or for a
    /// renegotiation. Some dozens of octets answer 2^24 records of use; a peer that asks all the
    /// time and never reads would fill our memory with answers.
    static let maximumAnswerOctets = 64 * 1_024

    let connection: SSLConnection
    var state = State.waiting
    var pending = PendingWrites()
    private var inputIsClosed = false
    var outputIsClosed = false
    /// Somebody above has asked for octets and has not got any since.
    private var readIsWanted = false
    private var answerOctets = 0
    var closePromise: EventLoopPromise<Void>?
    var closeTimeout: Scheduled<Void>?

    package init(server: TLSServerContext) throws(TLSError) {
        self.connection = try SSLConnection(server: server)
    }

    /// - Parameter serverName: the host name, or the address, that the certificate must be for.
    /// - Throws: `unusableName` for a name that no certificate could be verified for.
    package init(client: TLSClientContext, serverName: String) throws(TLSError) {
        let name = try ServerName(serverName)
        self.connection = try SSLConnection(client: client, serverName: name)
    }

    /// What ALPN came to; like the following, known once the handshake is complete.
    package var negotiatedProtocol: String? { self.connection.negotiatedProtocol }
    /// `TLSv1.2` or `TLSv1.3`.
    package var tlsVersion: String { self.connection.version }
    /// The cipher suite in OpenSSL's spelling.
    package var cipher: String { self.connection.cipher }
    /// Whether an earlier session was resumed.
    package var isSessionReused: Bool { self.connection.isSessionReused }

    // MARK: - Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        self.begin(context)
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard case .waiting = self.state else { return }
        self.state = .handshaking
        self.handshake(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let previous = self.state
        self.state = .closed
        self.settle(ChannelError.ioOnClosedChannel)
        switch previous {
        case .waiting, .handshaking:
            context.fireErrorCaught(TLSError.closedDuringHandshake)
        case .open where !self.inputIsClosed:
            context.fireErrorCaught(TLSError.uncleanShutdown)
        case .open, .closing, .closed:
            break
        }
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.state = .closed
        self.settle(ChannelError.ioOnClosedChannel)
    }

    /// Nothing is sent any more: fails what was to be, and ends the wait of who wanted to close.
    func settle(_ error: any Error) {
        self.closeTimeout?.cancel()
        self.closeTimeout = nil
        let closed = self.closePromise
        self.closePromise = nil
        self.pending.fail(error)
        closed?.succeed()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        // The network's end of input: told already if close_notify came before, else a cut.
        switch self.state {
        case .open where !self.inputIsClosed:
            self.fail(.uncleanShutdown, context: context)
        case .waiting, .handshaking:
            self.fail(.closedDuringHandshake, context: context)
        case .open, .closing, .closed:
            break
        }
    }

    /// Sends the alert that OpenSSL made, tells of the error, and closes.
    func fail(_ error: TLSError, context: ChannelHandlerContext) {
        if case .closed = self.state { return }
        self.state = .closed
        self.send(context, promise: nil)
        self.settle(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: - In

    package func read(context: ChannelHandlerContext) {
        self.readIsWanted = true
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.state {
        case .open where self.inputIsClosed, .closing, .closed:
            return
        case .waiting, .handshaking, .open:
            self.connection.receive(self.unwrapInboundIn(data))
        }
        if case .handshaking = self.state { self.handshake(context) }
        if case .open = self.state { self.decrypt(context) }
    }

    private func handshake(_ context: ChannelHandlerContext) {
        let outcome = self.connection.handshake()
        switch outcome {
        case .complete:
            self.state = .open
            self.send(context, promise: nil)
            context.fireUserInboundEventTriggered(
                TLSUserEvent.handshakeCompleted(negotiatedProtocol: self.negotiatedProtocol)
            )
            self.encrypt(context)
        case .wantsInput, .wantsRoom:
            self.send(context, promise: nil)
            // With back-pressure from above nobody else may ask for the peer's next flight.
            context.read()
        case .closedByPeer:
            self.fail(.closedDuringHandshake, context: context)
        case .failed(let error):
            self.fail(error, context: context)
        }
    }

    /// Decrypts what has arrived, which is bounded by one read of the network, and hands it up.
    private func decrypt(_ context: ChannelHandlerContext) {
        var outcome = SSLConnection.Outcome.wantsRoom
        while outcome == .wantsRoom, case .open = self.state {
            var plaintext = context.channel.allocator.buffer(
                capacity: max(64, self.connection.expectedPlaintext)
            )
            outcome = self.connection.read(into: &plaintext)
            guard plaintext.readableBytes > 0 else { continue }
            self.readIsWanted = false
            context.fireChannelRead(self.wrapInboundOut(plaintext))
        }
        guard case .open = self.state else { return }
        switch outcome {
        case .failed(let error):
            return self.fail(error, context: context)
        case .closedByPeer:
            self.closedByPeer(context)
        case .complete, .wantsInput, .wantsRoom:
            if self.readIsWanted { context.read() }
        }
        self.answer(context)
    }

    /// Sends what OpenSSL made in answer to what it read.
    private func answer(_ context: ChannelHandlerContext) {
        guard case .open = self.state, let answer = self.connection.takeOutput() else { return }
        self.answerOctets += answer.readableBytes
        guard self.answerOctets <= Self.maximumAnswerOctets else {
            return self.fail(.protocolViolation("too many key updates"), context: context)
        }
        context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
    }

    private func closedByPeer(_ context: ChannelHandlerContext) {
        self.inputIsClosed = true
        context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
}
