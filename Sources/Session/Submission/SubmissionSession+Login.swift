import Access
import SASL
import SMTP

extension SubmissionSession {
    // MARK: - AUTH (RFC 4954)

    mutating func auth(_ mechanism: [UInt8], initial: [UInt8]?) {
        guard self.hasTLS else { return self.refuse(.mustStartTLS) }
        guard self.user == nil else { return self.refuse(.alreadyAuthenticated) }
        guard self.hasGreeted, self.transaction == nil else { return self.refuse(.badSequence) }
        switch SASLMechanism(name: mechanism) {
        case .plain:
            guard let initial else { return self.challenge(.plain, reply: .challenge) }
            self.loginLineReceived(initial == [UInt8(ascii: "=")] ? [] : initial, challenge: .plain)
        case .login:
            guard let initial else { return self.challenge(.name, reply: .nameChallenge) }
            self.loginLineReceived(initial, challenge: .name)
        case .xoauth2, nil:
            self.refuse(.unknownMechanism)
        }
    }

    private mutating func challenge(_ challenge: Challenge, reply: SubmissionReply) {
        self.running = .awaitingLogin(challenge)
        self.reply(reply)
    }

    /// The client's answer to a challenge: base64, or `*` to give up.
    mutating func loginLineReceived(_ line: [UInt8], challenge: Challenge) {
        self.running = .nothing
        // Some clients put a blank at the end.
        let line = Array(line.dropLast(line.reversed().prefix { $0 == 0x20 }.count))
        guard line != [UInt8(ascii: "*")] else { return self.refuse(.canceled) }
        guard let octets = Base64.decode(line) else { return self.refuse(.malformedBase64) }
        switch challenge {
        case .plain:
            guard let (authzid, authcid, password) = SASLPlain.decode(octets),
                authzid.isEmpty || authzid == authcid
            else { return self.loginRefused() }
            self.authenticate(Credentials(name: authcid, password: password))
        case .name:
            self.challenge(.password(name: octets), reply: .passwordChallenge)
        case .password(let name):
            self.authenticate(Credentials(name: name, password: Secret(octets)))
        }
    }

    private mutating func authenticate(_ credentials: Credentials) {
        self.running = .authenticating
        self.actions.append(.authenticate(credentials))
    }

    /// A login that was refused without a check of its password, or after it.
    private mutating func loginRefused() {
        var event = AuditEvent("login")
        event.outcome = .refused
        self.actions.append(.audit(event))
        self.loginFailed()
    }

    private mutating func loginFailed() {
        self.loginFailures += 1
        self.reply(.authenticationFailed)
        if self.loginFailures >= Self.maximumLoginFailures { self.end(.tooManyErrors) }
    }

    /// The password was checked. The account of a login `LOGIN/ACCOUNT` changes nothing here: what
    /// a user may send from is decided for each message.
    package mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        guard case .authenticating = self.running else { return }
        self.running = .nothing
        switch outcome {
        case .accepted(let user, _, _) where !self.snapshot.isEnabled(user):
            self.loginRefused()
        case .accepted(let user, _, _):
            self.user = user
            self.errors = 0
            self.actions.append(.audit(AuditEvent("login")))
            self.reply(.authenticated)
        case .refused: self.loginFailed()
        case .overloaded: self.reply(.authenticationUnavailable)
        case .tooManyConnections:
            self.actions.append(.audit(.tooManyConnections))
            self.reply(.tooManyConnectionsOfUser)
        }
        self.readClient()
    }
}
