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
    private let promise: EventLoopPromise<SourceVerdict>
    private let endpoint: Endpoint
    /// Closed when the promise is complete.
    private var channel: UpstreamChannel<UpstreamLogin>?

    init(_ promise: EventLoopPromise<SourceVerdict>, route: UpstreamRoute) {
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
        self.promise.succeed(.verified)
    }

    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(.credentialRefused) = failure { return self.promise.succeed(.refused()) }
        let error = ProbeError(failure, of: self.channel, login: ProbeError.init)
        self.promise.succeed(
            .unavailable(reason: "\(self.endpoint.host):\(self.endpoint.port) \(error)")
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
    func verify(_ account: UpstreamAccount, credential: UpstreamCredential) -> SourceVerdict {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: SourceVerdict.self)
        loop.execute { [self] in
            let route = UpstreamRoute(
                endpoint: account.imap,
                connector: self.connector,
                clientTLS: self.clientTLS,
                limits: self.limits,
                lease: { loop in
                    loop.makeSucceededFuture(CredentialLease(credential, began: loop.now))
                }
            )
            LoginConversation(promise, route: route).open()
        }
        let timeout = loop.scheduleTask(in: UpstreamPasswords.longestCheck) {
            promise.succeed(
                .unavailable(
                    reason: "\(account.imap.host):\(account.imap.port) \(ProbeError.timedOut)"
                )
            )
        }
        defer { timeout.cancel() }
        do {
            return try promise.futureResult.wait()
        } catch {
            return .unavailable(reason: "\(account.imap.host): \(error)")
        }
    }
}
