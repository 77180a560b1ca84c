import NIOCore
import Session

/// From the standing connection to the login: the only place where a server's answers before the login are read, and
/// where STARTTLS begins.
extension UpstreamChannel {
    func loginOctetsReceived(_ octets: ByteBuffer) {
        do throws(LoginViolation) {
            try self.driver?.receive(octets)
            while case .loggingIn = self.phase, let actions = try self.driver?.next() {
                if self.driver?.awaitsVerdict ?? false {
                    self.lease?.credentialSent(at: self.loop.now)
                }
                self.perform(actions)
            }
        } catch {
            self.fail(.violation(error))
        }
    }

    func handshakeCompleted() {
        switch self.phase {
        case .opening: self.beginLogin()
        case .loggingIn: self.perform(self.driver?.tlsEstablished() ?? [])
        case .ready, .closed: break
        }
    }

    private func perform(_ actions: [Login.Step]) {
        for action in actions {
            guard case .loggingIn = self.phase else { return }
            self.perform(action)
        }
    }

    private func perform(_ action: Login.Step) {
        switch action {
        case .send(let octets):
            self.channel?.writeAndFlush(octets, promise: nil)
        case .startTLS:
            self.startTLS()
        case .ready(let profile):
            self.ready(profile)
        case .fail(let failure):
            self.judge(failure.verdict)
            self.fail(.login(failure))
        }
    }

    private func startTLS() {
        guard let channel = self.channel else { return }
        do {
            try self.addTLS(to: channel)
        } catch {
            self.log("TLS cannot be started", error: "\(ConnectionFailure(error))")
            self.fail(.connection(error), isLogged: true)
        }
    }

    private func judge(_ verdict: CredentialVerdict) {
        switch verdict {
        case .refused: self.lease?.refused()
        case .undecided, .throttled: self.lease?.answeredWithoutVerdict()
        case .unanswered: break
        }
    }

    private func ready(_ profile: Login.Profile) {
        guard let login = self.driver?.login else { return }
        self.phase = .ready
        self.loginTimeout?.cancel()
        self.lease?.accepted()
        self.lease = nil
        // Whatever came in the same read belongs to the delegate.
        let rest = self.driver?.takeBuffered() ?? ByteBuffer()
        self.delegate?.channelReady(profile, login: login)
        if rest.readableBytes > 0 { self.delegate?.channelReceived(rest) }
    }
}
