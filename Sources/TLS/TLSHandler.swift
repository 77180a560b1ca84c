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

    private enum State {
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
    private var state = State.waiting
    private var pending = PendingWrites()
    private var inputIsClosed = false
    private var outputIsClosed = false
    /// Somebody above has asked for octets and has not got any since.
    private var readIsWanted = false
    private var answerOctets = 0
    private var closePromise: EventLoopPromise<Void>?
    private var closeTimeout: Scheduled<Void>?

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
    private func settle(_ error: any Error) {
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
    private func fail(_ error: TLSError, context: ChannelHandlerContext) {
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

    // MARK: - Out

    package func write(
        context: ChannelHandlerContext,
        data: NIOAny,
        promise: EventLoopPromise<Void>?
    ) {
        switch self.state {
        case .open where self.outputIsClosed:
            promise?.fail(ChannelError.outputClosed)
        case .waiting, .handshaking, .open:
            self.pending.append(self.unwrapOutboundIn(data), promise: promise)
        case .closing, .closed:
            promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        self.pending.flush()
        self.encrypt(context)
    }

    private func encrypt(_ context: ChannelHandlerContext) {
        guard case .open = self.state, let writes = self.pending.takeFlushed() else { return }
        let promise = writes.joinedPromise()
        guard let error = self.connection.encrypt(writes) else {
            return self.send(context, promise: promise)
        }
        promise?.fail(error)
        self.fail(error, context: context)
    }

    private func send(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let ciphertext = self.connection.takeOutput() else {
            promise?.succeed()
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ciphertext), promise: promise)
    }

    // MARK: - Closing

    package func close(
        context: ChannelHandlerContext,
        mode: CloseMode,
        promise: EventLoopPromise<Void>?
    ) {
        switch (mode, self.state) {
        case (.input, _):
            context.close(mode: .input, promise: promise)
        case (.output, .open):
            self.closeOutput(context, promise: promise)
        case (.all, .open):
            self.join(promise)
            self.closeAll(context)
        case (.all, .closing):
            self.join(promise)
        case (.output, .waiting), (.output, .handshaking):
            promise?.fail(ChannelError.operationUnsupported)
        case (.output, .closing), (.output, .closed):
            promise?.fail(ChannelError.outputClosed)
        case (.all, .waiting), (.all, .handshaking), (.all, .closed):
            self.state = .closed
            self.settle(ChannelError.ioOnClosedChannel)
            context.close(mode: .all, promise: promise)
        }
    }

    private func join(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let first = self.closePromise {
            first.futureResult.cascade(to: promise)
        } else {
            self.closePromise = promise
        }
    }

    /// The end of all that was written, and close_notify; without promise if that was done before.
    private func endOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard !self.outputIsClosed else { return self.send(context, promise: promise) }
        self.pending.flush()
        self.encrypt(context)
        self.outputIsClosed = true
        self.connection.shutdown()
        self.send(context, promise: promise)
    }

    private func closeOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: promise) }
        self.endOutput(context, promise: sent)
    }

    /// Closes once the end has left; a peer that does not read has ``closeTime`` for it.
    private func closeAll(_ context: ChannelHandlerContext) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let own = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.endOutput(context, promise: sent)
        // An error of the last write has closed the connection already.
        guard case .open = self.state else { return }
        self.state = .closing
        sent.futureResult.whenComplete { _ in own.value.closeNow(bound.value) }
        guard case .closing = self.state else { return }
        self.closeTimeout = context.eventLoop.scheduleTask(in: Self.closeTime) {
            own.value.closeNow(bound.value)
        }
    }

    private func closeNow(_ context: ChannelHandlerContext) {
        guard case .closing = self.state else { return }
        self.state = .closed
        let promise = self.closePromise
        self.closePromise = nil
        self.settle(ChannelError.ioOnClosedChannel)
        guard context.channel.isActive else {
            promise?.succeed()
            return
        }
        context.close(mode: .all, promise: promise)
    }
}
