import Access
import Exchange
import IMAP
import NIOCore
import Session
import Store

/// One connection to an account's mail server for one client session. It serves one user, ever.
///
/// The channel logs in on the client's event loop; after the login the server's octets go to the
/// session.
final class UpstreamConnection {
    typealias Login = UpstreamLogin

    /// How long a server may take to answer the commands that it had received when the session
    /// left.
    private static let leavingTimeout = TimeAmount.minutes(5)

    let account: AccountID
    /// The user whose session this is; logins of several users take turns at the circuit breaker.
    private let user: UserID?
    /// Routes, caches and logs that all connections share.
    private let upstream: UpstreamServices
    /// Nil once the session does not need the connection any more.
    private var client: (any UpstreamConnectionClient)?
    /// Nil before ``open(_:on:)`` and once the connection is closed.
    private var channel: UpstreamChannel<UpstreamLogin>?
    /// The account's server and credential when the connection was opened.
    private(set) var target: UpstreamAccount?
    /// Called when the server closes a connection that the session has left.
    private var whenClosed: (() -> Void)?

    /// - Parameters:
    ///   - account: the account whose server the connection is for.
    ///   - client: told of every event; it is not retained after the end of the connection.
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
    }

    /// Connects and logs in; the client is told on the event loop.
    func open(_ target: UpstreamAccount, on loop: any EventLoop) {
        self.target = target
        let profiles = self.upstream.profiles
        let channel = UpstreamChannel(
            self.upstream.route(to: target, by: self.user),
            delegate: self,
            on: loop
        ) { credential in
            UpstreamLogin(
                security: target.imap.tls == .starttls ? .startTLS : .established,
                credential: credential,
                known: profiles.profile(of: target),
                tags: UpstreamTags(random: .random(in: .min ... .max))
            )
        }
        self.channel = channel
        channel.open()
    }

    /// Fails without a connection attempt, because the server was silent a moment ago. The client
    /// is told in a later turn of the event loop.
    func refuse(on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.tell(.unreachable) }
    }

    // MARK: - From the session

    /// Back-pressure: whether the server takes octets as fast as they come.
    var isWritable: Bool { self.channel?.isWritable ?? true }

    /// Buffers octets until the next flush.
    func write(_ octets: ByteBuffer) { self.channel?.write(octets) }

    func flush() { self.channel?.flush() }

    /// The session wants octets of the server again.
    func resumeReading() { self.channel?.resumeReading() }

    /// Whether the server has been silent for too long about an answer that it owes the session. If
    /// so, this is logged.
    func isSilent(_ awaited: AwaitedAnswer) -> Bool { self.channel?.isSilent(awaited) ?? false }

    /// The server asked for a pause: no session connects to it in this time.
    func pause(_ time: TimeAmount) {
        if let target = self.target { self.upstream.profiles.paused(target, for: time) }
    }

    /// Closes the connection. A login under way continues to its verdict: a client that leaves
    /// early must not hide a refused credential from the circuit breaker.
    func close() {
        self.client = nil
        if self.channel?.isLoggingIn ?? false { return }
        self.channel?.close()
        self.channel = nil
    }

    /// The session leaves, but the server has commands to finish: its octets are read and dropped
    /// until it closes the connection, at most for ``leavingTimeout``.
    /// - Parameter whenClosed: called when the connection is closed.
    func leave(_ whenClosed: @escaping () -> Void) {
        self.flush()
        guard let channel = self.channel, case .ready = channel.phase else {
            self.close()
            return whenClosed()
        }
        self.client = nil
        self.whenClosed = whenClosed
        channel.resumeReading()
        let bound = NIOLoopBound(channel, eventLoop: channel.loop)
        channel.loop.scheduleTask(in: Self.leavingTimeout) { bound.value.end() }
    }

    // MARK: - The log

    /// Logs a response that cannot be parsed.
    func unreadable(_ line: UnreadableLine) {
        let excerpt = ServerLog.Excerpt(line: line)
        self.channel?.log("sent a response that cannot be parsed", error: nil, excerpt: excerpt)
    }

    /// Logs a refused command.
    func refused(_ refusal: ServerRefusal) {
        let excerpt = ServerLog.Excerpt(text: refusal.text)
        self.channel?.log("refused a command", error: refusal.name, excerpt: excerpt)
    }

    /// Logs why the connection cannot be used after its login.
    func failed(_ failure: UpstreamLogin.Failure) {
        self.channel?.log("made its connection unusable", error: "\(failure)")
    }
}

// MARK: - From the channel

/// Events of the channel, passed on to the session.
extension UpstreamConnection: UpstreamChannelDelegate {
    var wantsOctets: Bool { self.client?.wantsOctets(from: self.account) ?? true }

    /// Caches the server's profile, and starts the session's use of the connection.
    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        // A profile from the cache is not cached again: it may have been dropped since.
        if let target = self.target, !login.usesKnown {
            self.upstream.profiles.record(profile, of: target)
        }
        guard let client = self.client else { return self.close() }
        client.upstreamReady(self.account, profile: profile, login: login)
    }

    /// Marks the server as failing or paused, and tells the session.
    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(let failure) = failure,
            case .throttled(let milliseconds) = failure.verdict
        {
            self.pause(.milliseconds(Int64(milliseconds)))
        }
        // Too many concurrent logins, or an answer that may still come, do not make the server a failing one.
        switch failure {
        case .denied(.busy), .timedOut(isHeard: true): break
        default:
            if let target = self.target { self.upstream.profiles.failed(target) }
        }
        self.tell(UpstreamFault(failure))
    }

    /// Tells the client of the failure, once.
    private func tell(_ fault: UpstreamFault) {
        let client = self.client
        self.client = nil
        client?.upstreamFailed(self.account, fault: fault)
    }

    func channelReceived(_ octets: ByteBuffer) {
        self.client?.upstreamOctetsReceived(self.account, octets: octets)
    }

    /// Tells the session, or runs the callback of a connection that the session has left.
    func channelClosed() {
        if let whenClosed = self.whenClosed {
            self.whenClosed = nil
            return whenClosed()
        }
        let client = self.client
        self.client = nil
        client?.upstreamClosed(self.account)
    }

    func channelBecameWritable() {
        self.client?.upstreamWritabilityChanged()
    }
}

/// The classes of failures that a session distinguishes.
extension UpstreamFault {
    /// The failure in the classes that the session distinguishes.
    fileprivate init(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        self =
            switch failure {
            case .denied(.credentialSuspended): .credentialSuspended
            case .denied(.serverUnanswering): .serverUnanswering
            case .denied(.paused), .denied(.outdated), .denied(.busy), .closed, .timedOut:
                .unreachable
            case .noCredential(let error):
                (error as? OnlineError)?.isPassing ?? false ? .unreachable : .noCredential
            case .connection: failure.isTLS ? .notTrusted : .unreachable
            case .violation: .protocolViolation
            case .login(.credentialRefused): .credentialRefused
            case .login(.noMailbox): .noMailbox
            case .login(.temporarilyRefused), .login(.throttled): .unreachable
            case .login: .protocolViolation
            }
    }
}
