import NIOCore
import SASL
import Session
import Store
import TLS

/// One connection to an account's mail or submission server. It serves one user, ever.
///
/// It acquires a connection slot and the credential, connects on the user's event loop, adds TLS,
/// logs in, and reports the server's verdict on the credential to the circuit breaker. Then it
/// passes octets in both directions. Its delegates are client sessions (``UpstreamConnection``,
/// ``SubmissionConnection``), conversations of the gateway itself (``ConversationConnection``) and
/// probes (``UpstreamProbe``, ``SubmissionProbe``).
///
/// Used on its event loop only.
final class UpstreamChannel<Login: ServerLogin> {
    /// The life of a connection; each phase leads to a later one.
    enum Phase {
        /// Waits for a slot, a credential, the connection, or the handshake of implicit TLS.
        case opening
        /// The login runs; octets go to its state machine.
        case loggingIn
        /// Logged in; octets go to the delegate.
        case ready
        /// The connection has ended, or failed.
        case closed
    }

    /// Creates the protocol's login from a credential.
    typealias MakeLogin = (UpstreamCredential) -> Login

    /// Endpoint, credential, limits and log.
    let route: UpstreamRoute
    /// The event loop of the client, the channel and the delegate.
    let loop: any EventLoop
    private let makeLogin: MakeLogin
    /// Nil once the connection is closed.
    var delegate: (any UpstreamChannelDelegate<Login>)?
    /// Never goes back to an earlier phase.
    var phase = Phase.opening
    /// The channel handler context of the open connection; nil before and after.
    var context: ChannelHandlerContext?
    /// The contexts of attempts to connect; empty once one of them is established.
    var attempts: [ChannelHandlerContext] = []
    /// Whether the channel takes octets, as it last reported.
    var isChannelWritable = true
    /// The login's state machine; nil before and after the login.
    var driver: LoginDriver<Login>?
    /// The circuit breaker's permission; nil once the server has accepted or refused the
    /// credential.
    var lease: CredentialLease?
    /// Ends a login that takes too long.
    var loginTimeout: Scheduled<Void>?
    /// Whether a connection slot has to be released.
    private var hasSlot = false
    /// Whether written octets wait for a flush.
    private var needsFlush = false
    /// Whether a read was held back for back-pressure.
    var hasPendingRead = false
    /// Measures the server's silence.
    var clock: UpstreamClock

    /// - Parameters:
    ///   - delegate: retained until the connection is closed.
    ///   - makeLogin: creates the protocol's login from the credential.
    init(
        _ route: UpstreamRoute,
        delegate: any UpstreamChannelDelegate<Login>,
        on loop: any EventLoop,
        makeLogin: @escaping MakeLogin
    ) {
        self.route = route
        self.delegate = delegate
        self.loop = loop
        self.makeLogin = makeLogin
        self.clock = UpstreamClock(limits: route.limits, at: loop.now)
    }

    /// Whether the server takes octets as fast as they come.
    var isWritable: Bool { self.context == nil || self.isChannelWritable }

    /// The open connection; nil before and after.
    var channel: (any Channel)? { self.context?.channel }

    var isClosed: Bool {
        if case .closed = self.phase { true } else { false }
    }

    var isLoggingIn: Bool {
        if case .loggingIn = self.phase { true } else { false }
    }

    /// Whether the connection was established, with TLS if it is implicit.
    private(set) var hasBegunLogin = false

    /// The TLS version and cipher suite; nil without TLS.
    var tls: String? {
        let operations = self.channel?.pipeline.syncOperations
        let handler = try? operations?.handler(type: TLSHandler.self)
        return handler.map { "\($0.tlsVersion) \($0.cipher)" }
    }

    // MARK: - Opening

    /// Opens the connection. A failure reaches the delegate in a later turn of the event loop,
    /// never within this call.
    func open() {
        if let denial = self.route.denial() { return self.failLater(.denied(denial)) }
        guard let slot = self.route.slot else { return self.requestLease() }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        slot.acquire(self.loop).whenComplete { result in
            switch result {
            case .success: bound.value.slotAcquired()
            case .failure: bound.value.slotDenied()
            }
        }
    }

    /// A slot is free; it is released at once if the connection was closed meanwhile.
    private func slotAcquired() {
        self.hasSlot = true
        guard !self.isClosed else { return self.releaseSlot() }
        self.requestLease()
    }

    /// No connection slot became free in time.
    private func slotDenied() {
        guard !self.isClosed else { return }
        self.log("has too many connections for this mailbox", error: nil)
        self.failLater(.denied(.busy), isLogged: true)
    }

    /// Asks for the credential and the circuit breaker's permission.
    private func requestLease() {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.route.lease(self.loop).whenComplete { result in
            switch result {
            case .success(let lease): bound.value.dial(lease)
            case .failure(let error): bound.value.failLater(UpstreamFailure(lease: error))
            }
        }
    }

    /// Fails in a later turn of the event loop, because the caller may be in the middle of its own
    /// work.
    private func failLater(_ failure: UpstreamFailure<Login.Failure>, isLogged: Bool = false) {
        let bound = NIOLoopBound((self, failure), eventLoop: self.loop)
        self.loop.execute { bound.value.0.fail(bound.value.1, isLogged: isLogged) }
    }

    /// Connects. The time for connecting and the login runs from the circuit breaker's permission.
    private func dial(_ lease: CredentialLease) {
        guard case .opening = self.phase else { return }
        self.lease = lease
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let timeout = self.route.limits.upstreamTimeout
        self.loginTimeout = self.loop.scheduleTask(deadline: lease.began + timeout) {
            bound.value.loginTimeoutPassed()
        }
        self.route.connector.dial(self.route.endpoint, on: self.loop, timeout: timeout) { channel in
            try bound.value.addHandlers(to: channel)
        }.whenComplete { result in
            bound.value.dialled(result)
        }
    }

    /// Adds TLS, if it is implicit, and this handler.
    /// - Throws: `ChannelError.alreadyClosed` for a connection that was closed meanwhile, because a
    ///   host with several addresses is tried at one after the other.
    private func addHandlers(to channel: any Channel) throws {
        guard !self.isClosed else { throw ChannelError.alreadyClosed }
        if self.route.endpoint.tls == .implicit { try self.addTLS(to: channel) }
        try channel.pipeline.syncOperations.addHandler(self)
    }

    /// Adds a TLS client at the front of the pipeline.
    /// - Throws: `TLSError` if the CA file cannot be read.
    func addTLS(to channel: any Channel) throws {
        let endpoint = self.route.endpoint
        let context = try self.route.clientTLS.context(for: endpoint)
        try channel.pipeline.syncOperations.addHandler(
            TLSHandler(client: context, serverName: endpoint.host),
            position: .first
        )
    }

    /// The result of the connection attempt.
    private func dialled(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            if self.isClosed { channel.close(promise: nil) }
        case .failure(let error):
            guard !self.isClosed else { return }
            self.log("cannot be reached", error: "\(ConnectionFailure(error))")
            self.fail(.connection(error), isLogged: true)
        }
    }

    /// The connection is established, with TLS if it is implicit.
    func beginLogin() {
        guard case .opening = self.phase, let credential = self.lease?.credential else { return }
        self.phase = .loggingIn
        self.hasBegunLogin = true
        self.driver = LoginDriver(self.makeLogin(credential))
    }

    // MARK: - The end

    /// Ends a login that takes too long: other logins wait for its verdict.
    ///
    /// A server that has had the credential for less than the time for an answer is still heard
    /// until then, so that a slow server does not count as one that gives no answer. The delegate
    /// is told of the failure at once.
    private func loginTimeoutPassed() {
        switch self.phase {
        case .opening, .loggingIn: break
        case .ready, .closed: return
        }
        guard let rest = self.timeForVerdict else { return self.fail(.timedOut(isHeard: false)) }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.loginTimeout = self.loop.scheduleTask(in: rest) { bound.value.loginTimeoutPassed() }
        self.report(.timedOut(isHeard: true))
        self.delegate?.channelFailed(.timedOut(isHeard: true))
    }

    /// The time that is left for the server's answer to the login; nil if it owes none.
    private var timeForVerdict: TimeAmount? {
        self.lease?.timeForVerdict(of: self.route.limits.upstreamTimeout, at: self.loop.now)
    }

    /// Whether the server has the credential and may still answer.
    var owesVerdict: Bool { self.isLoggingIn && self.timeForVerdict != nil }

    /// The connection failed; the delegate is told, once.
    /// - Parameter isLogged: whether the failure is in the log already.
    func fail(_ failure: UpstreamFailure<Login.Failure>, isLogged: Bool = false) {
        guard !self.isClosed else { return }
        if !isLogged { self.report(failure) }
        self.detach()?.channelFailed(failure)
    }

    /// Closes the connection; the delegate is not told.
    func close() {
        _ = self.detach()
    }

    /// Closes the connection; the delegate is told.
    func end() {
        self.channel?.close(promise: nil)
    }

    /// Releases everything that the connection holds.
    /// - Returns: the delegate that the connection had.
    func detach() -> (any UpstreamChannelDelegate<Login>)? {
        let delegate = self.delegate
        self.delegate = nil
        self.phase = .closed
        self.lease = nil
        self.loginTimeout?.cancel()
        self.channel?.close(promise: nil)
        self.context = nil
        let attempts = self.attempts
        self.attempts = []
        for attempt in attempts { attempt.channel.close(promise: nil) }
        self.releaseSlot()
        return delegate
    }

    private func releaseSlot() {
        guard self.hasSlot else { return }
        self.hasSlot = false
        self.route.slot?.release()
    }

    // MARK: - Octets to the server

    /// Buffers octets until the next ``flush()``.
    func write(_ octets: ByteBuffer) {
        self.needsFlush = true
        self.clock.octetsSent(at: self.loop.now)
        self.context?.write(self.wrapOutboundOut(octets), promise: nil)
    }

    /// Writes octets at once.
    /// - Parameter whenSent: called after the octets were written to the socket; not called if the
    ///   connection ends before.
    func send(_ octets: ByteBuffer, whenSent: @escaping () -> Void) {
        let bound = NIOLoopBound((self, whenSent), eventLoop: self.loop)
        self.channel?.writeAndFlush(octets).whenSuccess {
            bound.value.0.clock.octetsSent(at: bound.value.0.loop.now)
            bound.value.1()
        }
    }

    /// Writes buffered octets to the socket.
    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.context?.flush()
    }

    // MARK: - The log

    /// Writes to the log, through the rate limit of ``ServerLog``.
    /// - Parameter what: completes a sentence that begins with `mail server`.
    func log(_ what: StaticString, error: String?, excerpt: ServerLog.Excerpt? = nil) {
        self.route.log?.write(what, error: error, excerpt: excerpt, on: self.loop)
    }

    /// Logs a failure, unless it is logged elsewhere.
    private func report(_ failure: UpstreamFailure<Login.Failure>) {
        guard let (what, error) = failure.logged else { return }
        self.log(what, error: error)
    }
}
