import NIOCore
import Session

/// The login: the only place where a server's responses before the end of the login are read, and
/// where STARTTLS begins (RFC 9051 §6.2.1, RFC 3207).
extension UpstreamChannel {
    /// Hands octets to the login's state machine and performs its actions.
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

    /// TLS is established: the login begins, or continues after STARTTLS.
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

    /// Performs one action of the login.
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

    /// Adds TLS after the server has accepted STARTTLS.
    private func startTLS() {
        guard let channel = self.channel else { return }
        do {
            try self.addTLS(to: channel)
        } catch {
            self.log("TLS cannot be started", error: "\(ConnectionFailure(error))")
            self.fail(.connection(error), isLogged: true)
        }
    }

    /// Passes a failed login's verdict on the credential to the circuit breaker.
    private func judge(_ verdict: CredentialVerdict) {
        switch verdict {
        case .refused: self.lease?.refused()
        case .undecided, .throttled: self.lease?.answeredWithoutVerdict()
        case .unanswered: break
        }
    }

    /// The login succeeded: the delegate takes over.
    private func ready(_ profile: Login.Profile) {
        guard let login = self.driver?.login else { return }
        self.phase = .ready
        self.loginTimeout?.cancel()
        self.lease?.accepted()
        self.lease = nil
        // Octets behind the login's last response belong to the delegate.
        let rest = self.driver?.takeBuffered() ?? ByteBuffer()
        // The delegate has what it needs of the login, and a connection may be open for hours.
        self.driver = nil
        self.delegate?.channelReady(profile, login: login)
        if rest.readableBytes > 0 { self.delegate?.channelReceived(rest) }
    }
}
