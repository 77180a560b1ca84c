import Access
import IMAP
import Logging
import NIOCore
import NIOTLS
import Session
import Store
import TLS

/// One connection to the server that an account sends through, for one session; it has no other
/// user, ever.
///
/// Dials on the client's event loop and hands octets both ways; the session itself logs in.
final class SubmissionConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let endpoint: Endpoint
    let target: UpstreamAccount
    private let environment: Environment
    private var client: SubmissionHandler?
    private var channel: (any Channel)?
    private var loop: (any EventLoop)?
    private var context: ChannelHandlerContext?
    private var isConnected = false
    private var credential: UpstreamCredential?
    private var hasSlot = false
    private var needsFlush = false
    private var hasPendingRead = false

    init(
        endpoint: Endpoint,
        target: UpstreamAccount,
        client: SubmissionHandler,
        environment: Environment
    ) {
        self.endpoint = endpoint
        self.target = target
        self.client = client
        self.environment = environment
    }

    var isWritable: Bool { self.channel?.isWritable ?? true }

    func open(on loop: any EventLoop) {
        self.loop = loop
        guard self.target.kind == .exchange else { return self.findCredential(on: loop) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.environment.sendingSlots.acquire(self.target.id, on: loop).whenComplete { result in
            switch result {
            case .success:
                bound.value.hasSlot = true
                bound.value.findCredential(on: loop)
            case .failure(let error):
                bound.value.fail("has too many connections for this mailbox", error)
            }
        }
    }

    private func findCredential(on loop: any EventLoop) {
        guard self.client != nil else { return self.releaseSlot() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let credentials = self.environment.credentials
        credentials.credential(of: self.target, on: loop).whenComplete { result in
            switch result {
            case .success(let credential):
                bound.value.dial(credential, on: loop)
            case .failure(let error):
                loop.execute { bound.value.fail("has no usable credential", error) }
            }
        }
    }

    private func dial(_ credential: UpstreamCredential, on loop: any EventLoop) {
        guard self.client != nil else { return }
        self.credential = credential
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timeout = self.environment.configuration.limits.upstreamTimeout
        self.environment.dialler.dial(self.endpoint, on: loop, timeout: timeout) { channel in
            let connection = bound.value
            try Pipeline.addUpstream(
                connection,
                connection.endpoint,
                to: channel,
                connection.environment
            )
        }.whenComplete { result in
            bound.value.dialled(result)
        }
    }

    private func dialled(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            if self.client == nil { channel.close(promise: nil) }
        case .failure(let error):
            self.fail("cannot be reached", error)
        }
    }

    /// The connection stands, with TLS where it is implicit.
    private func connected() {
        guard !self.isConnected, let credential = self.credential else { return }
        self.isConnected = true
        self.client?.upstreamConnected(
            credential.forServer,
            startsTLS: self.endpoint.tls == .starttls
        )
    }

    /// Tells the session that there is no connection, and why nobody else does.
    private func fail(_ what: StaticString, _ error: (any Error)?) {
        // Who left the server alone closed the connection.
        guard self.client != nil else { return }
        self.log(what, error)
        let client = self.detach()
        client?.upstreamFailed(.unreachable)
    }

    private func log(_ what: StaticString, _ error: (any Error)?) {
        guard let loop = self.loop else { return }
        self.environment.serverLog.log(
            "server for sending \(what)",
            self.target,
            at: self.endpoint,
            error: error.map { "\($0)" },
            on: loop
        )
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.channel = context.channel
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        if self.endpoint.tls != .implicit { self.connected() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            if self.isConnected {
                self.client?.upstreamTLSEstablished()
            } else {
                self.connected()
            }
        case ChannelEvent.inputClosed, TLSUserEvent.shutdownCompleted:
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.client?.upstreamOctetsReceived(self.unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.client?.upstreamWritabilityChanged() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard self.isConnected else { return self.fail("closed the connection", nil) }
        let client = self.detach()
        client?.upstreamClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard self.isConnected else { return self.fail("cannot be reached", error) }
        context.close(promise: nil)
    }

    /// A client that does not read stops its server from being read.
    func read(context: ChannelHandlerContext) {
        if let client = self.client, !client.isWritable {
            self.hasPendingRead = true
        } else {
            context.read()
        }
    }

    // MARK: - From the session

    func write(_ octets: ByteBuffer) {
        self.needsFlush = true
        self.channel?.write(octets, promise: nil)
    }

    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.channel?.flush()
    }

    func startTLS() {
        guard let context = self.context else { return }
        do {
            try Pipeline.addUpstreamTLS(to: context, self.endpoint, self.environment)
        } catch {
            self.fail("cannot start TLS", error)
        }
    }

    func loginFailed(_ fault: SubmissionFault) {
        self.log("cannot be logged in at", fault)
        guard fault == .credentialRefused, let credential = self.credential else { return }
        self.environment.credentials.refused(credential)
    }

    func close() {
        _ = self.detach()
    }

    /// Nothing of this connection reaches the session any more.
    private func detach() -> SubmissionHandler? {
        let client = self.client
        self.client = nil
        self.channel?.close(promise: nil)
        self.channel = nil
        self.releaseSlot()
        return client
    }

    private func releaseSlot() {
        guard self.hasSlot else { return }
        self.hasSlot = false
        self.environment.sendingSlots.release(self.target.id)
    }

    func resumeReading() {
        guard self.hasPendingRead else { return }
        self.hasPendingRead = false
        self.channel?.read()
    }
}
