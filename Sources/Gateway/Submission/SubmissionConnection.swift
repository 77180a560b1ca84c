import Access
import NIOCore
import Session
import Store

/// One connection to an account's submission server for one client session. It serves one user,
/// ever.
///
/// The channel logs in on the client's event loop; after the login the server's octets go to the
/// session.
final class SubmissionConnection {
    typealias Login = SubmissionLogin

    /// The account's server and credential when the connection was opened.
    let target: UpstreamAccount
    /// The submission server of the account.
    private let endpoint: Endpoint
    /// The user whose session this is; several users take turns at the circuit breaker and the
    /// slots.
    private let user: UserID?
    /// Routes, caches and logs that all connections share.
    private let upstream: UpstreamServices
    /// Nil once the session does not need the connection any more.
    private var client: (any SubmissionConnectionClient)?
    /// Nil before ``open(on:)`` and once the connection is closed.
    private var channel: UpstreamChannel<SubmissionLogin>?

    /// - Parameters:
    ///   - endpoint: the account's submission server.
    ///   - client: told of every event; it is not retained after the end of the connection.
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

    /// Connects and logs in; the client is told on the event loop.
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

    /// Back-pressure: whether the server takes octets as fast as they come.
    var isWritable: Bool { self.channel?.isWritable ?? true }

    /// Buffers octets until the next flush.
    func write(_ octets: ByteBuffer) { self.channel?.write(octets) }

    func flush() { self.channel?.flush() }

    /// The session wants octets of the server again.
    func resumeReading() { self.channel?.resumeReading() }

    /// Closes the connection. If the server has the credential and has not answered, the answer is
    /// awaited: a client that leaves early must not hide a refusal from the circuit breaker.
    func close() {
        self.client = nil
        if self.channel?.owesVerdict ?? false { return }
        self.channel?.close()
        self.channel = nil
    }
}

// MARK: - From the channel

/// Events of the channel, passed on to the session.
extension SubmissionConnection: UpstreamChannelDelegate {
    /// Back-pressure: the server is read while the client takes octets.
    var wantsOctets: Bool { self.client?.isWritable ?? true }

    /// Starts the session's use of the connection.
    func channelReady(_ profile: SubmissionProfile, login: SubmissionLogin) {
        guard let client = self.client else { return self.close() }
        client.upstreamReady(profile)
    }

    /// Converts the failure to the classes that the session distinguishes. A server that failed
    /// within the login counts as closed, one that was not reached as unreachable.
    func channelFailed(_ failure: UpstreamFailure<SubmissionFault>) {
        let client = self.client
        self.client = nil
        switch failure {
        case .denied(.credentialSuspended): client?.upstreamFailed(.credentialSuspended)
        case .denied(.serverUnanswering): client?.upstreamFailed(.serverUnanswering)
        case .login(let fault): client?.upstreamFailed(fault)
        // The server was connected.
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
