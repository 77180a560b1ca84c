import NIOCore
import SASL
import Session
import Store
import TLS

/// One connection to an account's server, for mail or for sending; it has one user, ever.
///
/// Gets a slot and the credential, dials on the user's event loop, puts TLS under the connection, logs in, tells the
/// circuit breaker what the server said about the credential, and from then on hands octets both ways. Client sessions
/// (``UpstreamConnection``, ``SubmissionConnection``), conversations without a client (``ConversationConnection``) and
/// commands that try a server (``UpstreamProbe``, ``SubmissionProbe``) are its delegates. Used on its loop only.
final class UpstreamChannel<Login: ServerLogin> {
    enum Phase {
        case opening
        case loggingIn
        case ready
        case closed
    }

    typealias MakeLogin = (UpstreamCredential) -> Login

    let route: UpstreamRoute
    let loop: any EventLoop
    private let makeLogin: MakeLogin
    /// Until the connection is closed.
    var delegate: (any UpstreamChannelDelegate<Login>)?
    var phase = Phase.opening
    var channel: (any Channel)?
    /// From the beginning of the login on.
    var driver: LoginDriver<Login>?
    /// Until the server has accepted or refused the credential.
    var lease: CredentialLease?
    var loginTimeout: Scheduled<Void>?
    private var hasSlot = false
    private var needsFlush = false
    var hasPendingRead = false
    var clock: UpstreamClock

    /// - Parameters:
    ///   - delegate: is held until the connection is closed.
    ///   - makeLogin: makes the protocol's login with the credential.
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

    var isWritable: Bool { self.channel?.isWritable ?? true }

    var isClosed: Bool {
        if case .closed = self.phase { true } else { false }
    }

    var isLoggingIn: Bool {
        if case .loggingIn = self.phase { true } else { false }
    }

    /// Whether the server was connected, with TLS where it is implicit.
    var hasBegunLogin: Bool { self.driver != nil }

    /// The version and the cipher suite of TLS; nil without it.
    var tls: String? {
        let operations = self.channel?.pipeline.syncOperations
        let handler = try? operations?.handler(type: TLSHandler.self)
        return handler.map { "\($0.tlsVersion) \($0.cipher)" }
    }

    // MARK: - Opening

    /// The delegate hears of a failure not at once: it is in the middle of asking.
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

    private func slotAcquired() {
        self.hasSlot = true
        guard !self.isClosed else { return self.releaseSlot() }
        self.requestLease()
    }

    private func slotDenied() {
        guard !self.isClosed else { return }
        self.log("has too many connections for this mailbox", error: nil)
        self.failLater(.denied(.busy), isLogged: true)
    }

    private func requestLease() {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.route.lease(self.loop).whenComplete { result in
            switch result {
            case .success(let lease): bound.value.dial(lease)
            case .failure(let error): bound.value.failLater(UpstreamFailure(lease: error))
            }
        }
    }

    private func failLater(_ failure: UpstreamFailure<Login.Failure>, isLogged: Bool = false) {
        let bound = NIOLoopBound((self, failure), eventLoop: self.loop)
        self.loop.execute { bound.value.0.fail(bound.value.1, isLogged: isLogged) }
    }

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

    private func addHandlers(to channel: any Channel) throws {
        if self.route.endpoint.tls == .implicit { try self.addTLS(to: channel) }
        try channel.pipeline.syncOperations.addHandler(self)
    }

    /// Puts TLS under the connection.
    func addTLS(to channel: any Channel) throws {
        let endpoint = self.route.endpoint
        let context = try self.route.clientTLS.context(for: endpoint)
        try channel.pipeline.syncOperations.addHandler(
            TLSHandler(client: context, serverName: endpoint.host),
            position: .first
        )
    }

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

    /// The connection stands, with TLS where it is implicit.
    func beginLogin() {
        guard case .opening = self.phase, let credential = self.lease?.credential else { return }
        self.phase = .loggingIn
        self.driver = LoginDriver(self.makeLogin(credential))
    }

    // MARK: - The end

    /// Other logins wait for the verdict on this one: a server that says nothing must not hold them up. A server that
    /// has had the credential for less than the time for an answer is heard until then, and the delegate waits no
    /// longer: a slow server is not one that gives no answer.
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

    /// How long the server may still take to answer the login; nil where it does not owe an answer.
    private var timeForVerdict: TimeAmount? {
        self.lease?.timeForVerdict(of: self.route.limits.upstreamTimeout, at: self.loop.now)
    }

    /// Whether the server has the credential and may still answer.
    var owesVerdict: Bool { self.isLoggingIn && self.timeForVerdict != nil }

    /// The connection cannot be had.
    func fail(_ failure: UpstreamFailure<Login.Failure>, isLogged: Bool = false) {
        guard !self.isClosed else { return }
        if !isLogged { self.report(failure) }
        self.detach()?.channelFailed(failure)
    }

    /// Nothing of this connection reaches the delegate any more.
    func close() {
        _ = self.detach()
    }

    /// Ends the connection; the delegate hears of it.
    func end() {
        self.channel?.close(promise: nil)
    }

    /// - Returns: the delegate that the connection had.
    func detach() -> (any UpstreamChannelDelegate<Login>)? {
        let delegate = self.delegate
        self.delegate = nil
        self.phase = .closed
        self.lease = nil
        self.loginTimeout?.cancel()
        self.channel?.close(promise: nil)
        self.channel = nil
        self.releaseSlot()
        return delegate
    }

    private func releaseSlot() {
        guard self.hasSlot else { return }
        self.hasSlot = false
        self.route.slot?.release()
    }

    // MARK: - Octets to the server

    /// Goes to the server with the next ``flush()``.
    func write(_ octets: ByteBuffer) {
        self.needsFlush = true
        self.clock.octetsSent(at: self.loop.now)
        self.channel?.write(octets, promise: nil)
    }

    /// - Parameter whenSent: is called once the octets are out; not where the connection ends before.
    func send(_ octets: ByteBuffer, whenSent: @escaping () -> Void) {
        let bound = NIOLoopBound((self, whenSent), eventLoop: self.loop)
        self.channel?.writeAndFlush(octets).whenSuccess {
            bound.value.0.clock.octetsSent(at: bound.value.0.loop.now)
            bound.value.1()
        }
    }

    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.channel?.flush()
    }

    // MARK: - The log

    func log(_ what: StaticString, error: String?, words: ServerLog.Words? = nil) {
        self.route.log?.write(what, error: error, words: words, on: self.loop)
    }

    private func report(_ failure: UpstreamFailure<Login.Failure>) {
        guard let (what, error) = failure.trouble else { return }
        self.log(what, error: error)
    }
}
