package import NIOCore

/// Closing: close_notify in both directions, within ``closeTime``.
extension TLSHandler {
    /// Closes one or both directions. `.output` sends close_notify and keeps reading.
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

    /// Completes `promise` together with that of an earlier close.
    private func join(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let first = self.closePromise {
            first.futureResult.cascade(to: promise)
        } else {
            self.closePromise = promise
        }
    }

    /// Encrypts all pending writes and close_notify. A second call only sends what is left.
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

    /// Closes after the last octets are sent, or after ``closeTime`` if the peer does not read.
    private func closeAll(_ context: ChannelHandlerContext) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let own = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.endOutput(context, promise: sent)
        // A failed write may have closed the connection.
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
