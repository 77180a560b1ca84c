import Access
import IMAP
import Logging
import NIOCore
import NIOPosix
import NIOTLS
import Session
import Store
import TLS

/// One connection to one account's server for one session; it has no other user, ever.
///
/// Dials on the client's event loop, runs the login, and from then on hands octets both ways.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case dialling
        case loggingIn(UpstreamLogin, WholeResponseReader)
        case ready
        /// The session is done with it, and wants to know when the server is.
        case leaving(() -> Void)
        case closed
    }

    /// How long a server may take to answer what it had got when the session left.
    private static let leavingTimeout = TimeAmount.minutes(5)

    let account: AccountID
    private let user: UserID?
    let upstream: UpstreamServices
    var client: (any UpstreamConnectionClient)?
    var channel: (any Channel)?
    private(set) var loop: (any EventLoop)?
    var phase = Phase.dialling
    private(set) var target: UpstreamAccount?
    /// Until the server has accepted or refused the credential.
    private var lease: CredentialLease?
    private var needsFlush = false
    var hasPendingRead = false
    var clock: UpstreamClock

    init(
        account: AccountID,
        user: UserID?,
        client: any UpstreamConnectionClient,
        upstream: UpstreamServices
    ) {
        self.account = account
        self.user = user
        self.client = client
        self.upstream = upstream
        self.clock = UpstreamClock(limits: upstream.limits)
    }

    var isWritable: Bool { self.channel?.isWritable ?? true }

    var isDialling: Bool {
        if case .dialling = self.phase { true } else { false }
    }

    // MARK: - Opening

    func open(_ target: UpstreamAccount, on loop: any EventLoop) {
        self.target = target
        self.loop = loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        guard !self.upstream.profiles.isPaused(target) else {
            // Not at once: the session is in the middle of asking for this.
            return loop.execute { bound.value.fail(.unreachable) }
        }
        self.upstream.credentialLease(of: target, for: .imap, by: self.user, on: loop)
            .whenComplete { result in
                switch result {
                case .success(let lease):
                    bound.value.dial(target, lease: lease, on: loop)
                case .failure(let error):
                    // Not at once, here as well.
                    loop.execute { bound.value.leaseDenied(error) }
                }
            }
    }

    private func dial(
        _ target: UpstreamAccount,
        lease: CredentialLease,
        on loop: any EventLoop
    ) {
        guard case .dialling = self.phase else { return }
        self.lease = lease
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timeout = self.upstream.limits.upstreamTimeout
        loop.scheduleTask(deadline: lease.began + timeout) { bound.value.loginTimeoutPassed() }
        self.upstream.connector.dial(target.imap, on: loop, timeout: timeout) { channel in
            try UpstreamPipeline.add(
                bound.value,
                endpoint: target.imap,
                to: channel,
                upstream: bound.value.upstream
            )
        }.whenComplete { result in
            bound.value.dialled(result)
        }
    }

    private func dialled(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard case .closed = self.phase else {
                self.channel = channel
                return
            }
            channel.close(promise: nil)
        case .failure(let error):
            self.log("cannot be reached", error: error)
            self.fail(.unreachable)
        }
    }

    /// The session waits no longer. A server that has had the credential for less than the time for an answer goes on
    /// without the session: a slow server is not one that gives no answer.
    func loginTimeoutPassed() {
        switch self.phase {
        case .dialling, .loggingIn:
            self.log("did not finish the login in time", error: nil)
            let timeout = self.upstream.limits.upstreamTimeout
            guard let loop = self.loop, let rest = self.lease?.timeForVerdict(of: timeout) else {
                return self.fail(.unreachable)
            }
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(in: rest) { bound.value.loginTimeoutPassed() }
            let client = self.client
            self.client = nil
            client?.upstreamFailed(self.account, fault: .unreachable)
        case .ready, .leaving, .closed:
            break
        }
    }

    /// The connection stands, with TLS where it is implicit.
    private func beginLogin() {
        guard case .dialling = self.phase, let target = self.target,
            let credential = self.lease?.credential
        else { return }
        let login = UpstreamLogin(
            security: target.imap.tls == .starttls ? .startTLS : .established,
            credential: credential.forServer,
            known: self.upstream.profiles.profile(of: target),
            tags: UpstreamTags(random: .random(in: .min ... .max))
        )
        self.phase = .loggingIn(login, WholeResponseReader())
    }

    // MARK: - The channel

    func channelActive(context: ChannelHandlerContext) {
        self.channel = context.channel
        if self.target?.imap.tls != .implicit { self.beginLogin() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            self.handshakeCompleted(context)
        case ChannelEvent.inputClosed, TLSUserEvent.shutdownCompleted:
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func handshakeCompleted(_ context: ChannelHandlerContext) {
        if case .loggingIn(var login, let reader) = self.phase {
            let actions = login.tlsEstablished()
            self.phase = .loggingIn(login, reader)
            for action in actions { self.perform(action, context: context) }
        } else {
            self.beginLogin()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let octets = self.unwrapInboundIn(data)
        switch self.phase {
        case .ready:
            self.clock.octetsMoved()
            self.client?.upstreamOctetsReceived(self.account, octets: octets)
        case .loggingIn:
            self.loginOctetsReceived(octets, context: context)
        case .dialling, .leaving, .closed:
            break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        self.clock.octetsMoved()
        self.client?.upstreamWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch self.phase {
        case .dialling, .loggingIn:
            self.log("closed the connection during the login", error: nil)
            self.fail(.unreachable)
        case .ready:
            let client = self.detach()
            client?.upstreamClosed(self.account)
        case .leaving(let whenClosed):
            self.phase = .closed
            whenClosed()
        case .closed:
            break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.log("failed", error: error)
        switch self.phase {
        case .dialling, .loggingIn:
            self.fail(error is TLSError ? .notTrusted : .unreachable)
        case .ready, .leaving, .closed:
            context.close(promise: nil)
        }
    }

    // MARK: - The login

    private func loginOctetsReceived(_ octets: ByteBuffer, context: ChannelHandlerContext) {
        guard case .loggingIn(var login, var reader) = self.phase else { return }
        guard login.takesOctets(octets.readableBytes) else {
            self.log("says too much during the login", error: nil)
            return self.fail(.protocolViolation)
        }
        reader.receive(octets)
        do {
            while let response = try reader.next() {
                let actions = login.responseReceived(
                    response,
                    isLast: reader.bufferedOctets == 0
                )
                self.phase = .loggingIn(login, reader)
                if login.awaitsVerdict { self.lease?.credentialSent() }
                for action in actions { self.perform(action, context: context) }
                guard case .loggingIn = self.phase else { return }
            }
            self.phase = .loggingIn(login, reader)
        } catch {
            // Not the line: a server may repeat what it was given to log in with.
            self.logText("breaks the protocol during the login", error: error.reason.explanation)
            self.fail(.protocolViolation)
        }
    }

    private func perform(_ action: UpstreamLogin.Action, context: ChannelHandlerContext) {
        switch action {
        case .send(let octets):
            context.writeAndFlush(self.wrapOutboundOut(octets), promise: nil)
        case .startTLS:
            self.startTLS(context)
        case .ready(let profile):
            self.ready(profile)
        case .fail(let failure):
            self.log("refused the login", error: failure)
            self.fail(self.fault(failure))
        }
    }

    private func fault(_ failure: UpstreamLogin.Failure) -> UpstreamFault {
        switch failure {
        case .credentialRefused:
            self.lease?.refused()
            return .credentialRefused
        case .noMailbox:
            self.lease?.answeredWithoutVerdict()
            return .noMailbox
        case .temporarilyRefused:
            self.lease?.answeredWithoutVerdict()
            return .unreachable
        case .throttled(let milliseconds):
            self.lease?.answeredWithoutVerdict()
            self.pause(.milliseconds(Int64(milliseconds)))
            return .unreachable
        default:
            return .protocolViolation
        }
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        guard let target = self.target else { return }
        do {
            try UpstreamPipeline.addTLS(to: context, target.imap, upstream: self.upstream)
        } catch {
            self.log("TLS cannot be started", error: error)
            self.fail(.notTrusted)
        }
    }

    private func ready(_ profile: UpstreamProfile) {
        guard case .loggingIn(let login, var reader) = self.phase else { return }
        self.phase = .ready
        self.lease?.accepted()
        self.lease = nil
        // What was known already is learnt no second time: it may have been dropped meanwhile.
        if let target = self.target, !login.usesKnown {
            self.upstream.profiles.learnt(profile, of: target)
        }
        guard self.client != nil else { return self.close() }
        self.client?.upstreamReady(self.account, profile: profile, login: login)
        // Whatever came in the same read belongs to the session.
        let rest = reader.takeBuffered()
        if rest.readableBytes > 0 {
            self.client?.upstreamOctetsReceived(self.account, octets: rest)
        }
    }

    func fail(_ fault: UpstreamFault) {
        if let target = self.target { self.upstream.profiles.failed(target) }
        let client = self.detach()
        client?.upstreamFailed(self.account, fault: fault)
    }

    // MARK: - From the session

    func write(_ octets: ByteBuffer) {
        self.needsFlush = true
        self.clock.octetsSent()
        self.channel?.write(octets, promise: nil)
    }

    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.channel?.flush()
    }

    /// The server asked to be left alone.
    func pause(_ time: TimeAmount) {
        if let target = self.target { self.upstream.profiles.paused(target, for: time) }
    }

    /// The session is done with this connection. A login under way goes on to its verdict: a client that leaves
    /// early must not hide a refused credential from the circuit breaker.
    func close() {
        guard case .loggingIn = self.phase else {
            _ = self.detach()
            return
        }
        self.client = nil
    }

    /// The session is done with this connection, but the server has something to finish: it is
    /// read, unheard, until it closes.
    func leave(_ whenClosed: @escaping () -> Void) {
        self.flush()
        guard case .ready = self.phase, let channel = self.channel else {
            self.close()
            return whenClosed()
        }
        self.client = nil
        self.channel = nil
        self.phase = .leaving(whenClosed)
        channel.read()
        channel.eventLoop.scheduleTask(in: Self.leavingTimeout) { channel.close(promise: nil) }
    }

    /// Nothing of this connection reaches the session any more.
    func detach() -> (any UpstreamConnectionClient)? {
        let client = self.client
        self.client = nil
        self.lease = nil
        self.phase = .closed
        self.channel?.close(promise: nil)
        self.channel = nil
        return client
    }
}
