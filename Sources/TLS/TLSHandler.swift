package import NIOCore
import NIOTLS

/// TLS as a channel handler: ciphertext towards the network, octets towards the rest of the pipeline.
///
/// Fires `TLSUserEvent.handshakeCompleted` and, at the peer's close_notify,
/// `TLSUserEvent.shutdownCompleted`. Octets written before the handshake ends wait for it. A
/// connection that ends without close_notify fires ``TLSError/uncleanShutdown``.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case waiting
        case handshaking
        case open
        /// close_notify has come from the peer.
        case closedByPeer
        case closed
    }

    /// Small writes are put together into one record up to this size.
    private static let maximumCoalescedOctets = 16 * 1_024

    /// How long a peer may take to read the end of what it was sent.
    private static let closeTime = TimeAmount.seconds(5)

    private let connection: SSLConnection
    private var state = State.waiting
    private var pending: [(octets: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private var flushed = 0

    package init(server: TLSServerContext) throws(TLSError) {
        self.connection = try SSLConnection(server: server)
    }

    /// - Parameter serverName: the host name, or the address, that the certificate must be for.
    package init(client: TLSClientContext, serverName: String) throws(TLSError) {
        self.connection = try SSLConnection(client: client, serverName: serverName)
    }

    package var negotiatedProtocol: String? { self.connection.negotiatedProtocol }
    package var tlsVersion: String { self.connection.version }
    package var cipher: String { self.connection.cipher }
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
        switch self.state {
        case .handshaking, .waiting:
            self.state = .closed
            context.fireErrorCaught(TLSError.closedDuringHandshake)
        case .open:
            self.state = .closed
            context.fireErrorCaught(TLSError.uncleanShutdown)
        case .closedByPeer, .closed:
            self.state = .closed
        }
        self.failPending(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.failPending(ChannelError.ioOnClosedChannel)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The network's end of input without close_notify cuts whatever came last.
        if case ChannelEvent.inputClosed = event {
            switch self.state {
            case .open:
                return self.fail(.uncleanShutdown, context)
            case .handshaking, .waiting:
                return self.fail(.closedDuringHandshake, context)
            case .closedByPeer, .closed:
                break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: - In

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let ciphertext = self.unwrapInboundIn(data)
        switch self.state {
        case .closed, .closedByPeer:
            return
        case .waiting, .handshaking, .open:
            self.connection.receive(ciphertext)
        }
        if case .handshaking = self.state { self.handshake(context) }
        if case .open = self.state { self.decrypt(ciphertext.readableBytes, context) }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
    }

    private func handshake(_ context: ChannelHandlerContext) {
        switch self.connection.handshake() {
        case .complete:
            self.state = .open
            self.send(context, promise: nil)
            context.fireUserInboundEventTriggered(
                TLSUserEvent.handshakeCompleted(negotiatedProtocol: self.negotiatedProtocol)
            )
            self.encrypt(context)
        case .wantsInput:
            self.send(context, promise: nil)
            // With back-pressure from above nobody else may ask for the peer's next flight.
            context.read()
        case .closed:
            self.fail(.closedDuringHandshake, context)
        case .failed(let error):
            self.fail(error, context)
        }
    }

    private func decrypt(_ octets: Int, _ context: ChannelHandlerContext) {
        var plaintext = context.channel.allocator.buffer(capacity: max(64, octets))
        let outcome = self.connection.read(into: &plaintext)
        // A ticket or a key update makes output of its own.
        self.send(context, promise: nil)
        if plaintext.readableBytes > 0 { context.fireChannelRead(self.wrapInboundOut(plaintext)) }
        switch outcome {
        case .complete, .wantsInput:
            if plaintext.readableBytes == 0 { context.read() }
        case .closed:
            guard case .open = self.state else { return }
            self.state = .closedByPeer
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .failed(let error):
            self.fail(error, context)
        }
    }

    /// Sends the alert that OpenSSL made, tells of the error, and closes.
    private func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
        if case .closed = self.state { return }
        self.state = .closed
        self.send(context, promise: nil)
        self.failPending(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: - Out

    package func write(
        context: ChannelHandlerContext,
        data: NIOAny,
        promise: EventLoopPromise<Void>?
    ) {
        if case .closed = self.state {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        self.pending.append((self.unwrapOutboundIn(data), promise))
    }

    package func flush(context: ChannelHandlerContext) {
        self.flushed = self.pending.count
        self.encrypt(context)
    }

    private func encrypt(_ context: ChannelHandlerContext) {
        switch self.state {
        case .open, .closedByPeer: break
        case .waiting, .handshaking, .closed: return
        }
        guard self.flushed > 0 else { return }
        let writes = self.pending.prefix(self.flushed)
        let total = writes.reduce(0) { $0 + $1.octets.readableBytes }
        self.connection.reserveOutput(total + (total / Self.maximumCoalescedOctets + 2) * 64)
        let outcome = self.encrypt(writes)
        var promise: EventLoopPromise<Void>?
        for write in writes {
            guard let own = write.promise else { continue }
            if let promise { promise.futureResult.cascade(to: own) } else { promise = own }
        }
        self.pending.removeFirst(self.flushed)
        self.flushed = 0
        if case .failed(let error) = outcome { return self.fail(error, context) }
        self.send(context, promise: promise)
    }

    private func encrypt(
        _ writes: ArraySlice<(octets: ByteBuffer, promise: EventLoopPromise<Void>?)>
    ) -> SSLConnection.Outcome {
        if writes.count == 1, let only = writes.first {
            return only.octets.withUnsafeReadableBytes { self.connection.write($0) }
        }
        var gathered = ByteBuffer()
        for (octets, _) in writes {
            if gathered.readableBytes + octets.readableBytes <= Self.maximumCoalescedOctets {
                gathered.writeImmutableBuffer(octets)
                continue
            }
            if let failed = self.encrypt(&gathered) { return failed }
            if octets.readableBytes < Self.maximumCoalescedOctets {
                gathered.writeImmutableBuffer(octets)
            } else {
                let outcome = octets.withUnsafeReadableBytes { self.connection.write($0) }
                guard outcome == .complete else { return outcome }
            }
        }
        return self.encrypt(&gathered) ?? .complete
    }

    private func encrypt(_ gathered: inout ByteBuffer) -> SSLConnection.Outcome? {
        guard gathered.readableBytes > 0 else { return nil }
        let outcome = gathered.withUnsafeReadableBytes { self.connection.write($0) }
        gathered.clear()
        return outcome == .complete ? nil : outcome
    }

    private func send(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let ciphertext = self.connection.takeOutput() else {
            promise?.succeed(())
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ciphertext), promise: promise)
    }

    private func failPending(_ error: any Error) {
        let writes = self.pending
        self.pending = []
        self.flushed = 0
        for write in writes { write.promise?.fail(error) }
    }

    package func close(
        context: ChannelHandlerContext,
        mode: CloseMode,
        promise: EventLoopPromise<Void>?
    ) {
        guard mode != .input else { return context.close(mode: mode, promise: promise) }
        switch self.state {
        case .open, .closedByPeer:
            self.flushed = self.pending.count
            self.encrypt(context)
            self.connection.shutdown()
            if mode == .all { self.state = .closed }
            self.closeBehind(context, mode, promise)
        case .waiting, .handshaking, .closed:
            self.state = .closed
            context.close(mode: mode, promise: promise)
        }
    }

    /// Closes once what was written, close_notify last, has left; a peer that does not read has
    /// ``closeTime`` for it.
    private func closeBehind(
        _ context: ChannelHandlerContext,
        _ mode: CloseMode,
        _ promise: EventLoopPromise<Void>?
    ) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let timeout = context.eventLoop.scheduleTask(in: Self.closeTime) {
            bound.value.close(mode: .all, promise: nil)
        }
        sent.futureResult.whenComplete { _ in
            timeout.cancel()
            bound.value.close(mode: mode, promise: promise)
        }
        self.send(context, promise: sent)
    }
}
