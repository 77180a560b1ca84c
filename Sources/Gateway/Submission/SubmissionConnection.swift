import Access
import NIOCore
import Session
import Store

/// One connection to the server that an account sends through, for one session; it has no other
/// user, ever.
///
/// The channel logs in on the client's event loop; what the server says then belongs to the session.
final class SubmissionConnection {
    typealias Login = SubmissionLogin

    let target: UpstreamAccount
    private let endpoint: Endpoint
    private let user: UserID?
    private let upstream: UpstreamServices
    /// Nil once the session is done with the connection.
    private var client: (any SubmissionConnectionClient)?
    private var channel: UpstreamChannel<SubmissionLogin>?

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

    func open(on loop: any EventLoop) {
        let (endpoint, name) = (self.endpoint, self.upstream.hostName)
        let channel = UpstreamChannel(
            self.upstream.sendingRoute(to: self.target, at: endpoint, by: self.user),
            delegate: self,
            on: loop
        ) { credential in
            SubmissionLogin(
                credential: credential,
                startsTLS: endpoint.tls == .starttls,
                name: name
            )
        }
        self.channel = channel
        channel.open()
    }

    // MARK: - From the session

    var isWritable: Bool { self.channel?.isWritable ?? true }

    func write(_ octets: ByteBuffer) { self.channel?.write(octets) }

    func flush() { self.channel?.flush() }

    func resumeReading() { self.channel?.resumeReading() }

    /// The session is done with this connection. Where the server has the credential, and has not answered, the answer
    /// is heard: a client that leaves early must not hide a refusal from the circuit breaker.
    func close() {
        self.client = nil
        if self.channel?.owesVerdict ?? false { return }
        self.channel?.close()
        self.channel = nil
    }
}

// MARK: - From the channel

extension SubmissionConnection: UpstreamChannelDelegate {
    /// A client that does not read stops its server from being read.
    var wantsOctets: Bool { self.client?.isWritable ?? true }

    func channelReady(_ profile: SubmissionProfile, login: SubmissionLogin) {
        guard let client = self.client else { return self.close() }
        client.upstreamReady(profile)
    }

    func channelFailed(_ failure: UpstreamFailure<SubmissionFault>) {
        let client = self.client
        self.client = nil
        switch failure {
        case .denied(.credentialSuspended): client?.upstreamFailed(.credentialSuspended)
        case .denied(.serverUnanswering): client?.upstreamFailed(.serverUnanswering)
        case .login(let fault): client?.upstreamFailed(fault)
        // It was there.
        case .closed where self.channel?.hasBegunLogin ?? false,
            .connection where self.channel?.hasBegunLogin ?? false, .violation:
            client?.upstreamClosed()
        case .denied, .noCredential, .closed, .connection, .timedOut:
            client?.upstreamFailed(.unreachable)
        }
    }

    func channelReceived(_ octets: ByteBuffer) {
        self.client?.upstreamOctetsReceived(octets)
    }

    func channelClosed() {
        let client = self.client
        self.client = nil
        client?.upstreamClosed()
    }

    func channelBecameWritable() {
        self.client?.upstreamWritabilityChanged()
    }
}
