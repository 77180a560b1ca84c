package import NIOCore

/// Writing: plaintext of the pipeline becomes ciphertext for the network.
extension TLSHandler {
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

    /// Encrypts and sends the flushed writes once the handshake is complete.
    func encrypt(_ context: ChannelHandlerContext) {
        guard case .open = self.state, let writes = self.pending.takeFlushed() else { return }
        let promise = writes.joinedPromise()
        let error = self.connection.encrypt(writes)
        self.pending.reuse(writes)
        guard let error else {
            return self.send(context, promise: promise)
        }
        promise?.fail(error)
        self.fail(error, context: context)
    }

    /// Sends the ciphertext that OpenSSL produced.
    func send(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard var ciphertext = self.connection.takeOutput() else {
            promise?.succeed()
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ciphertext), promise: promise)
        // The socket has taken most writes by now.
        if ciphertext.storageCapacity == BufferPool.forWriting.capacity {
            BufferPool.forWriting.giveBackIfUnique(&ciphertext)
        }
    }
}
