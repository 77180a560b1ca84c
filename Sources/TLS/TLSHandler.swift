package import NIOCore
import NIOTLS

/// A channel handler for TLS: ciphertext towards the network, plaintext towards the pipeline.
///
/// - Added to an active channel (STARTTLS), it starts the handshake at once.
/// - It fires `TLSUserEvent.handshakeCompleted`. At the peer's close_notify it fires
///   `TLSUserEvent.shutdownCompleted` and `ChannelEvent.inputClosed`. Writing is still possible
///   then; the pipeline decides when to close.
/// - Writes before the end of the handshake wait for it.
/// - After a ``TLSError`` it closes the channel. An end without close_notify is such an error.
/// - The pipeline limits the time of the handshake.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// The state of the connection.
    enum State {
        /// The channel is not active yet.
        case waiting
        /// The handshake is not complete.
        case handshaking
        /// The handshake is complete.
        case open
        /// The last octets, close_notify at the end, are being sent; input is discarded.
        case closing
        /// The connection has ended.
        case closed
    }

    /// The time that a peer has to read the last octets before the channel is closed.
    static let closeTime = TimeAmount.seconds(5)

    /// The most octets that a connection sends only because the peer requested key updates or a
    /// renegotiation. A few dozen octets suffice for 2^24 records. A peer that requests updates and
    /// never reads could otherwise fill the memory with answers.
    static let maximumAnswerOctets = 64 * 1_024

    /// The most plaintext, in octets, for which a buffer of its size is made. A larger one is
    /// borrowed.
    private static let smallRead = 64 * 1_024

    let connection: SSLConnection
    var state = State.waiting
    var pending = PendingWrites()
    /// Whether the peer's close_notify has arrived.
    private var inputIsClosed = false
    /// Whether our close_notify is encrypted.
    var outputIsClosed = false
    /// Whether the pipeline called `read` and has received no octets since.
    private var readIsWanted = false
    /// The octets counted against ``maximumAnswerOctets``.
    private var answerOctets = 0
    /// The promise of the first `close`; later ones are cascaded from it.
    var closePromise: EventLoopPromise<Void>?
    /// The timer for ``closeTime``.
    var closeTimeout: Scheduled<Void>?

    /// The server side of a connection.
    package init(server: TLSServerContext) throws(TLSError) {
        self.connection = try SSLConnection(server: server)
    }

    /// The client side of a connection.
    /// - Parameter serverName: the host name or address that the certificate must have.
    /// - Throws: `unusableName` if a certificate cannot be verified for the name.
    package init(client: TLSClientContext, serverName: String) throws(TLSError) {
        let name = try ServerName(serverName)
        self.connection = try SSLConnection(client: client, serverName: name)
    }

    /// The protocol that ALPN chose; valid, like the next three, after the handshake.
    package var negotiatedProtocol: String? { self.connection.negotiatedProtocol }
    /// `TLSv1.2` or `TLSv1.3`.
    package var tlsVersion: String { self.connection.version }
    /// The cipher suite in OpenSSL's spelling.
    package var cipher: String { self.connection.cipher }
    /// Whether the handshake resumed a session.
    package var isSessionReused: Bool { self.connection.isSessionReused }

    // MARK: - Lifetime

    package func handlerAdded(context: ChannelHandlerContext) {
        self.borrowBuffers(context)
        if context.channel.isActive { self.begin(context) }
    }

    /// Lets the channel read into borrowed buffers, which the connection gives back.
    private func borrowBuffers(_ context: ChannelHandlerContext) {
        guard let options = context.channel.syncOptions else { return }
        do {
            try options.setOption(.maxMessagesPerRead, value: 1)
            try options.setOption(.recvAllocator, value: BorrowingAllocator())
        } catch {
            // A closed channel reads nothing.
        }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        self.begin(context)
    }

    /// Starts the handshake once.
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

    /// Fails all pending writes, and completes a pending close.
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
        // The end of the network's input: expected after close_notify, otherwise a truncation.
        switch self.state {
        case .open where !self.inputIsClosed:
            self.fail(.uncleanShutdown, context: context)
        case .waiting, .handshaking:
            self.fail(.closedDuringHandshake, context: context)
        case .open, .closing, .closed:
            break
        }
    }

    /// Sends OpenSSL's alert, fires the error and closes the channel.
    func fail(_ error: TLSError, context: ChannelHandlerContext) {
        if case .closed = self.state { return }
        self.state = .closed
        self.send(context, promise: nil)
        self.settle(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: - Input

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

    /// The channel has released its reference to the ciphertext, so that the next reader of the
    /// buffer does not copy it.
    package func channelReadComplete(context: ChannelHandlerContext) {
        self.connection.giveBackInput()
        context.fireChannelReadComplete()
    }

    /// Continues the handshake, and sends its next flight.
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
            // With back-pressure in the pipeline, nothing else asks for the peer's next flight.
            context.read()
        case .closedByPeer:
            self.fail(.closedDuringHandshake, context: context)
        case .failed(let error):
            self.fail(error, context: context)
        }
    }

    /// Decrypts one read of the network, which bounds the memory, and passes the plaintext on.
    private func decrypt(_ context: ChannelHandlerContext) {
        var outcome = SSLConnection.Outcome.wantsRoom
        while outcome == .wantsRoom, case .open = self.state {
            let expected = self.connection.expectedPlaintext
            let isLarge = expected > Self.smallRead
            var plaintext =
                isLarge
                ? BufferPool.forReading.borrow()
                : ByteBufferAllocator().buffer(capacity: max(64, expected))
            outcome = self.connection.read(into: &plaintext)
            if plaintext.readableBytes > 0 {
                self.readIsWanted = false
                context.fireChannelRead(self.wrapInboundOut(plaintext))
            }
            // The octets of most reads have been passed on by now.
            if isLarge { BufferPool.forReading.giveBackIfUnique(&plaintext) }
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

    /// Sends what OpenSSL produced in answer to its input, such as key updates.
    private func answer(_ context: ChannelHandlerContext) {
        guard case .open = self.state, let answer = self.connection.takeOutput() else { return }
        self.answerOctets += answer.readableBytes
        guard self.answerOctets <= Self.maximumAnswerOctets else {
            return self.fail(.protocolViolation("too many key updates"), context: context)
        }
        context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
    }

    /// Reports the peer's close_notify to the pipeline.
    private func closedByPeer(_ context: ChannelHandlerContext) {
        self.inputIsClosed = true
        self.connection.releaseInput()
        context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
}
