import Access
import Exchange
import IMAP
import NIOCore
import Session
import Store

/// One connection to one account's mail server for one session; it has no other user, ever.
///
/// The channel logs in on the client's event loop; what the server says then belongs to the session.
final class UpstreamConnection {
    typealias Login = UpstreamLogin

    /// How long a server may take to answer what it had got when the session left.
    private static let leavingTimeout = TimeAmount.minutes(5)

    let account: AccountID
    private let user: UserID?
    private let upstream: UpstreamServices
    /// Nil once the session is done with the connection.
    private var client: (any UpstreamConnectionClient)?
    private var channel: UpstreamChannel<UpstreamLogin>?
    private(set) var target: UpstreamAccount?
    /// Where the session is done with the connection, and wants to know when the server is.
    private var whenClosed: (() -> Void)?

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

    /// The server is not asked again yet. Not at once: the session is in the middle of asking for this.
    func refuse(on loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.tell(.unreachable) }
    }

    // MARK: - From the session

    var isWritable: Bool { self.channel?.isWritable ?? true }

    func write(_ octets: ByteBuffer) { self.channel?.write(octets) }

    func flush() { self.channel?.flush() }

    func resumeReading() { self.channel?.resumeReading() }

    /// Whether the server has been silent for too long about what it owes the session; this is logged.
    func isSilent(_ awaited: AwaitedAnswer) -> Bool { self.channel?.isSilent(awaited) ?? false }

    /// The server asked to be left alone.
    func pause(_ time: TimeAmount) {
        if let target = self.target { self.upstream.profiles.paused(target, for: time) }
    }

    /// The session is done with this connection. A login under way goes on to its verdict: a client that leaves
    /// early must not hide a refused credential from the circuit breaker.
    func close() {
        self.client = nil
        if self.channel?.isLoggingIn ?? false { return }
        self.channel?.close()
        self.channel = nil
    }

    /// The session is done with this connection, but the server has something to finish: it is
    /// read, unheard, until it closes.
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

    /// The server sent a line that cannot be read.
    func unreadable(_ line: UnreadableLine) {
        let words = ServerLog.Words(line: line)
        self.channel?.log("sends what cannot be read", error: nil, words: words)
    }

    /// The server refused a command.
    func refused(_ refusal: ServerRefusal) {
        let words = ServerLog.Words(text: refusal.text)
        self.channel?.log("refused a command", error: refusal.name, words: words)
    }

    /// What the server said after the login makes it unusable.
    func failed(_ failure: UpstreamLogin.Failure) {
        self.channel?.log("cannot be used any more", error: "\(failure)")
    }
}

// MARK: - From the channel

extension UpstreamConnection: UpstreamChannelDelegate {
    var wantsOctets: Bool { self.client?.wantsOctets(from: self.account) ?? true }

    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        // What was known already is learnt no second time: it may have been dropped meanwhile.
        if let target = self.target, !login.usesKnown {
            self.upstream.profiles.learnt(profile, of: target)
        }
        guard let client = self.client else { return self.close() }
        client.upstreamReady(self.account, profile: profile, login: login)
    }

    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(let failure) = failure,
            case .throttled(let milliseconds) = failure.verdict
        {
            self.pause(.milliseconds(Int64(milliseconds)))
        }
        // Where too many log in, or its answer is on its way, nothing is known against the server.
        switch failure {
        case .denied(.busy), .timedOut(isHeard: true): break
        default:
            if let target = self.target { self.upstream.profiles.failed(target) }
        }
        self.tell(UpstreamFault(failure))
    }

    private func tell(_ fault: UpstreamFault) {
        let client = self.client
        self.client = nil
        client?.upstreamFailed(self.account, fault: fault)
    }

    func channelReceived(_ octets: ByteBuffer) {
        self.client?.upstreamOctetsReceived(self.account, octets: octets)
    }

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

extension UpstreamFault {
    /// What the session is told.
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
