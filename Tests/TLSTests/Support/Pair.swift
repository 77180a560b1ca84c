import NIOCore
import NIOEmbedded
import NIOTLS

@testable import TLS

/// The events that the pipeline above a ``TLSHandler`` receives.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var received = ByteBuffer()
    private(set) var errors: [TLSError] = []
    private(set) var isHandshakeComplete = false
    private(set) var isShutDown = false
    private(set) var isInputClosed = false
    private(set) var isInactive = false
    private(set) var reads = 0

    var text: String { String(buffer: self.received) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.reads += 1
        self.received.writeImmutableBuffer(self.unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted: self.isHandshakeComplete = true
        case TLSUserEvent.shutdownCompleted: self.isShutDown = true
        case ChannelEvent.inputClosed: self.isInputClosed = true
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isInactive = true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { self.errors.append(error) }
    }
}

/// One end of a connection without a network.
final class End {
    let channel = EmbeddedChannel()
    let tls: TLSHandler
    let recorder = Recorder()

    init(_ tls: TLSHandler) throws {
        self.tls = tls
        try self.channel.pipeline.syncOperations.addHandlers([tls, self.recorder])
    }

    func connect() throws {
        try self.channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 993)).wait()
    }

    @discardableResult
    func write(_ text: String, flush: Bool = true) -> EventLoopFuture<Void> {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        let octets = ByteBuffer(string: text)
        if flush {
            self.channel.pipeline.writeAndFlush(octets, promise: promise)
        } else {
            self.channel.pipeline.write(octets, promise: promise)
        }
        return promise.futureResult
    }

    func close(_ mode: CloseMode = .all) -> EventLoopFuture<Void> {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        self.channel.pipeline.close(mode: mode, promise: promise)
        return promise.futureResult
    }

    /// The ciphertext that was sent since the last call.
    func takeSent() throws -> ByteBuffer {
        var sent = ByteBuffer()
        while let part = try self.channel.readOutbound(as: ByteBuffer.self) {
            sent.writeImmutableBuffer(part)
        }
        return sent
    }

    func receive(_ ciphertext: ByteBuffer) {
        self.channel.pipeline.fireChannelRead(ciphertext)
        self.channel.pipeline.fireChannelReadComplete()
        self.channel.embeddedEventLoop.run()
    }
}

/// A connected client and server.
struct Pair {
    let client: End
    let server: End

    init(
        _ client: TLSClientContext,
        _ server: TLSServerContext,
        name: String = "mail.kanzlei.example",
        connects: Bool = true
    ) throws {
        self.client = try End(TLSHandler(client: client, serverName: name))
        self.server = try End(TLSHandler(server: server))
        guard connects else { return }
        try self.server.connect()
        try self.client.connect()
    }

    /// A pair after the handshake.
    static func open(_ version: Version = .tls13) throws -> Pair {
        let pair = try Pair(.testing(version: version), .testing())
        try pair.exchange()
        return pair
    }

    /// Carries ciphertext between both ends, in parts of at most this many octets, until neither
    /// end sends any.
    func exchange(partsOf size: Int = .max) throws {
        while true {
            let fromClient = try self.client.takeSent()
            let fromServer = try self.server.takeSent()
            guard fromClient.readableBytes + fromServer.readableBytes > 0 else { return }
            Self.carry(fromClient, to: self.server, partsOf: size)
            Self.carry(fromServer, to: self.client, partsOf: size)
        }
    }

    private static func carry(_ octets: ByteBuffer, to end: End, partsOf size: Int) {
        var octets = octets
        while octets.readableBytes > 0,
            let part = octets.readSlice(length: min(size, octets.readableBytes))
        {
            end.receive(part)
        }
    }
}
