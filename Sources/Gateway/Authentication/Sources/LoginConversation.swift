import NIOCore
import NIOPosix
import SASL
import Session
import Store

/// A login at a mail server with a client's password, and nothing after it. Used on its event loop
/// only.
final class LoginConversation: UpstreamChannelDelegate {
    typealias Login = UpstreamLogin

    /// Completed once.
    private let promise: EventLoopPromise<UpstreamAnswer>
    private let endpoint: Endpoint
    private let lease: CredentialLease
    /// Closed when the promise is complete.
    private var channel: UpstreamChannel<UpstreamLogin>?

    init(
        _ promise: EventLoopPromise<UpstreamAnswer>,
        route: UpstreamRoute,
        lease: CredentialLease
    ) {
        self.lease = lease
        self.promise = promise
        self.endpoint = route.endpoint
        let loop = promise.futureResult.eventLoop
        let isSTARTTLS = route.endpoint.tls == .starttls
        let channel = UpstreamChannel(route, delegate: self, on: loop) { credential in
            UpstreamLogin(
                security: isSTARTTLS ? .startTLS : .established,
                credential: credential,
                known: nil,
                tags: UpstreamTags(random: .random(in: .min ... .max))
            )
        }
        self.channel = channel
        // The connection keeps this object until its end.
        let bound = NIOLoopBound((self, channel), eventLoop: loop)
        promise.futureResult.whenComplete { _ in bound.value.1.close() }
    }

    /// Opens the connection. Completing the promise closes it.
    func open() {
        self.channel?.open()
    }

    // MARK: - From the channel

    var wantsOctets: Bool { false }

    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        // Only an answer to the password counts, whatever the state machine lets pass.
        self.promise.succeed(
            self.lease.isSent
                ? .accepted : .notAsked(reason: "the server did not take the password")
        )
    }

    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(.credentialRefused) = failure, self.lease.isSent {
            return self.promise.succeed(.refused)
        }
        let error = ProbeError(failure, of: self.channel, login: ProbeError.init)
        let reason = "\(self.endpoint.host):\(self.endpoint.port) \(error)"
        self.promise.succeed(
            // A server may count a login that it did not answer, too.
            self.lease.isSent ? .unanswered(reason: reason) : .notAsked(reason: reason)
        )
    }

    func channelReceived(_ octets: ByteBuffer) {}
    func channelClosed() {}
    func channelBecameWritable() {}
}

/// Logins with the passwords of clients.
extension UpstreamServices {
    /// Logs in at an account's IMAP server, and closes the connection. Blocks; must not be called on an
    /// event loop.
    func verify(_ account: UpstreamAccount, credential: UpstreamCredential) -> UpstreamAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: UpstreamAnswer.self)
        loop.execute { [self] in
            let lease = CredentialLease(credential, began: loop.now)
            let route = UpstreamRoute(
                endpoint: account.imap,
                connector: self.connector,
                clientTLS: self.clientTLS,
                limits: self.limits,
                denial: { self.profiles.isPaused(account) ? .paused : nil },
                lease: { $0.makeSucceededFuture(lease) }
            )
            LoginConversation(promise, route: route, lease: lease).open()
        }
        let timeout = loop.scheduleTask(in: PasswordQuestions.longestQuestion) {
            promise.succeed(
                .unanswered(
                    reason: "\(account.imap.host):\(account.imap.port) \(ProbeError.timedOut)"
                )
            )
        }
        defer { timeout.cancel() }
        do {
            return try promise.futureResult.wait()
        } catch {
            return .notAsked(reason: "\(account.imap.host): \(error)")
        }
    }
}
