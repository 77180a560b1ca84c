import Access
import SASL
import SMTP

extension SubmissionSession {
    // MARK: - AUTH (RFC 4954)

    /// Executes AUTH. An initial response of `=` is empty for PLAIN (RFC 4954 §4).
    mutating func auth(_ mechanism: [UInt8], initial: [UInt8]?) {
        guard self.hasTLS else { return self.refuse(.mustStartTLS) }
        guard self.user == nil else { return self.refuse(.alreadyAuthenticated) }
        guard self.hasGreeted, self.transaction == nil else { return self.refuse(.badSequence) }
        switch SASLMechanism(name: mechanism) {
        case .plain:
            guard let initial else { return self.challenge(.plain) }
            self.loginLineReceived(initial == [UInt8(ascii: "=")] ? [] : initial, exchange: .plain)
        case .login:
            guard let initial else { return self.challenge(.loginName) }
            self.loginLineReceived(initial, exchange: .loginName)
        case .xoauth2, nil:
            self.refuse(.unknownMechanism)
        }
    }

    /// Sends the challenge of a login step (334) and waits for the client's line.
    private mutating func challenge(_ exchange: SASLExchange) {
        self.running = .awaitingLogin(exchange)
        switch exchange {
        case .plain: self.reply(.challenge)
        case .loginName: self.reply(.nameChallenge)
        case .loginPassword: self.reply(.passwordChallenge)
        }
    }

    /// Takes the client's answer to a challenge, or its initial response.
    mutating func loginLineReceived(_ line: [UInt8], exchange: SASLExchange) {
        self.running = .nothing
        // Some clients add a space at the end of the line.
        let line = Array(line.dropLast(line.reversed().prefix { $0 == 0x20 }.count))
        switch exchange.lineReceived(line) {
        case .authenticate(let credentials):
            self.running = .authenticating
            self.actions.append(.authenticate(credentials))
        case .challenge(let next): self.challenge(next)
        case .cancelled: self.refuse(.canceled)
        case .malformedBase64: self.refuse(.malformedBase64)
        case .malformedMessage, .otherIdentity: self.loginFinished(self.clientLogin.refused())
        }
    }

    /// The password check has finished. An account in a login name (`LOGIN/ACCOUNT`) has no effect here: the
    /// permission to send is decided for each message.
    package mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        guard case .authenticating = self.running else { return }
        self.running = .nothing
        self.loginFinished(self.clientLogin.checked(outcome, in: self.snapshot, mayOpen: true))
        self.readClient()
    }

    /// Writes the audit record of a login and answers the client.
    private mutating func loginFinished(_ result: ClientLogin.Result) {
        if let event = result.event { self.actions.append(.audit(event)) }
        switch result.answer {
        case .accepted:
            self.errors = 0
            self.reply(.authenticated)
        case .failed: self.reply(.authenticationFailed)
        case .overloaded, .unavailable: self.reply(.authenticationUnavailable)
        case .tooManyConnections: self.reply(.tooManyConnectionsOfUser)
        }
        if result.endsConnection { self.end(.tooManyErrors) }
    }
}
