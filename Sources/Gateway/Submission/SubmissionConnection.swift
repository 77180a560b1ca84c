import Access
import Logging
import NIOCore
import NIOTLS
import SMTP
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
    private let user: UserID?
    private let upstream: UpstreamServices
    private var client: (any SubmissionConnectionClient)?
    private var channel: (any Channel)?
    private var loop: (any EventLoop)?
    private var context: ChannelHandlerContext?
    private var isConnected = false
    /// Until the server has accepted or refused the credential.
    private var lease: CredentialLease?
    private var loginTimeout: Scheduled<Void>?
    /// Of the server's answer to the login, when the session does not wait for it any more.
    private var verdict = ServerReplyReader()
    private var hasSlot = false
    private var needsFlush = false
    private var hasPendingRead = false

    init(
        endpoint: Endpoint,
        target: UpstreamAccount,
        user: UserID?,
        client: any SubmissionConnectionClient,
        upstream: UpstreamServices
    ) {
        self.endpoint = endpoint
        self.target = target
        self.user = user
        self.client = client
        self.upstream = upstream
    }

    var isWritable: Bool { self.channel?.isWritable ?? true }

    func open(on loop: any EventLoop) {
        self.loop = loop
        // Who has to wait for a slot need not wait for this.
        if let denial = self.upstream.credentialBreaker.denial(self.target, service: .submission) {
            return self.fail(SubmissionFault(denial), on: loop)
        }
        guard self.target.kind == .exchange else { return self.findCredential(on: loop) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.upstream.sendingSlots.acquire(self.target.id, for: self.user, on: loop).whenComplete {
            result in
            switch result {
            case .success:
                bound.value.hasSlot = true
                bound.value.findCredential(on: loop)
            case .failure(let error):
                bound.value.fail("has too many connections for this mailbox", error: error)
            }
        }
    }

    private func findCredential(on loop: any EventLoop) {
        guard self.client != nil else { return self.releaseSlot() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.upstream.credentialLease(
            of: self.target,
            for: .submission,
            by: self.user,
            on: loop
        )
        .whenComplete { result in
            switch result {
            case .success(let lease):
                bound.value.dial(lease, on: loop)
            case .failure(let error):
                bound.value.leaseDenied(error, on: loop)
            }
        }
    }

    private func leaseDenied(_ error: any Error, on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        switch error {
        case is CredentialBreaker.Suspended: self.fail(.credentialSuspended, on: loop)
        case is CredentialBreaker.Paused: self.fail(.serverUnanswering, on: loop)
        case is CredentialBreaker.Outdated: self.fail(.unreachable, on: loop)
        case is CredentialBreaker.WaitedTooLong:
            loop.execute {
                bound.value.fail("has too many logins of this account under way", error: nil)
            }
        case is CredentialLease.TokenTooLate:
            loop.execute { bound.value.loginTimeoutPassed() }
        default:
            loop.execute { bound.value.fail("has no usable credential", error: error) }
        }
    }

    /// Other logins wait for the verdict on this one: a server that says nothing must not hold them up. A server that
    /// has had the credential for less than the time for an answer is heard until then, without the session.
    private func loginTimeoutPassed() {
        guard let client = self.client, self.timeForVerdict != nil else {
            return self.fail("did not finish the login in time", error: nil)
        }
        self.log("did not finish the login in time", error: nil)
        self.leaveLogin()
        client.upstreamFailed(.unreachable)
    }

    /// How long the server may still take to answer the login; nil where it does not owe an answer.
    private var timeForVerdict: TimeAmount? {
        self.lease?.timeForVerdict(of: self.upstream.limits.upstreamTimeout)
    }

    private func dial(_ lease: CredentialLease, on loop: any EventLoop) {
        guard self.client != nil else { return }
        self.lease = lease
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timeout = self.upstream.limits.upstreamTimeout
        self.loginTimeout = loop.scheduleTask(deadline: lease.began + timeout) {
            bound.value.loginTimeoutPassed()
        }
        self.upstream.connector.dial(self.endpoint, on: loop, timeout: timeout) { channel in
            let connection = bound.value
            try UpstreamPipeline.add(
                connection,
                endpoint: connection.endpoint,
                to: channel,
                upstream: connection.upstream
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
            self.fail("cannot be reached", error: error)
        }
    }

    /// The connection stands, with TLS where it is implicit.
    private func connected() {
        guard !self.isConnected, let credential = self.lease?.credential else { return }
        self.isConnected = true
        self.client?.upstreamConnected(
            credential.forServer,
            startsTLS: self.endpoint.tls == .starttls
        )
    }

    /// Tells the session that there is no connection, and why nobody else does.
    private func fail(_ what: StaticString, error: (any Error)?) {
        // Who left the server alone closed the connection.
        guard self.client != nil else { return }
        self.log(what, error: error)
        let client = self.detach()
        client?.upstreamFailed(.unreachable)
    }

    /// Not at once: the session is in the middle of asking for the connection.
    private func fail(_ fault: SubmissionFault, on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            let client = bound.value.detach()
            client?.upstreamFailed(fault)
        }
    }

    private func log(_ what: StaticString, error: (any Error)?) {
        guard let loop = self.loop else { return }
        self.upstream.serverLog.log(
            "server for sending \(what)",
            account: self.target,
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
        let octets = self.unwrapInboundIn(data)
        guard let client = self.client else { return self.verdictReceived(octets) }
        client.upstreamOctetsReceived(octets)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.client?.upstreamWritabilityChanged() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard self.isConnected else { return self.fail("closed the connection", error: nil) }
        let client = self.detach()
        client?.upstreamClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard self.isConnected else { return self.fail("cannot be reached", error: error) }
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
            try UpstreamPipeline.addTLS(to: context, self.endpoint, upstream: self.upstream)
        } catch {
            self.fail("cannot start TLS", error: error)
        }
    }

    func loginFailed(_ fault: SubmissionFault) {
        self.log("cannot be logged in at", error: fault)
        self.loginTimeout?.cancel()
        self.judged(fault)
        self.lease = nil
    }

    private func judged(_ fault: SubmissionFault) {
        switch fault {
        case .credentialRefused: self.lease?.refused()
        case .temporarilyRefused: self.lease?.answeredWithoutVerdict()
        case .unreachable, .credentialSuspended, .serverUnanswering, .noMechanism, .noServer: break
        }
    }

    func credentialSent() {
        self.lease?.credentialSent()
    }

    func loggedIn() {
        self.loginTimeout?.cancel()
        self.lease?.accepted()
        self.lease = nil
    }

    /// The session is done with this connection, but the server has the credential, and has not answered. The
    /// answer is heard: a client that leaves early must not hide a refusal from the circuit breaker.
    func leaveLogin() {
        self.flush()
        guard let channel = self.channel, let rest = self.timeForVerdict else {
            return self.close()
        }
        self.client = nil
        channel.read()
        channel.eventLoop.scheduleTask(in: rest) { channel.close(promise: nil) }
    }

    private func verdictReceived(_ octets: ByteBuffer) {
        self.verdict.receive(octets)
        do {
            guard let reply = try self.verdict.next() else { return }
            self.judged(reply)
        } catch {
            // Nothing that is behind it can be a verdict.
            self.log("says what is no SMTP", error: error)
        }
        self.close()
    }

    private func judged(_ reply: ServerReply) {
        guard !reply.isPositive else { return self.loggedIn() }
        let fault = SubmissionFault(refusal: reply)
        if fault == .credentialRefused {
            self.loginFailed(fault)
        } else {
            self.judged(fault)
        }
    }

    func close() {
        _ = self.detach()
    }

    /// Nothing of this connection reaches the session any more.
    private func detach() -> (any SubmissionConnectionClient)? {
        let client = self.client
        self.client = nil
        self.lease = nil
        self.loginTimeout?.cancel()
        self.channel?.close(promise: nil)
        self.channel = nil
        self.releaseSlot()
        return client
    }

    private func releaseSlot() {
        guard self.hasSlot else { return }
        self.hasSlot = false
        self.upstream.sendingSlots.release(self.target.id)
    }

    func resumeReading() {
        guard self.hasPendingRead else { return }
        self.hasPendingRead = false
        self.channel?.read()
    }
}

extension SubmissionFault {
    /// Why no login is made for now.
    fileprivate init(_ denial: CredentialCircuits.Denial) {
        self =
            switch denial {
            case .credentialRefused: .credentialSuspended
            case .serverUnanswering: .serverUnanswering
            }
    }
}
