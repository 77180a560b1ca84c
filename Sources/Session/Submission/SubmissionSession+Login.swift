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
        let exchange = SASLExchange(
            mechanism: mechanism,
            offered: self.settings.methods.submissionMechanisms
        )
        guard let exchange else { return self.refuse(.unknownMechanism) }
        guard let initial else { return self.challenge(exchange) }
        let isEmpty = initial == [UInt8(ascii: "=")] && exchange != .loginName
        self.loginLineReceived(isEmpty ? [] : initial, exchange: exchange)
    }

    /// Sends the challenge of a login step (334) and waits for the client's line.
    private mutating func challenge(_ exchange: SASLExchange) {
        self.running = .awaitingLogin(exchange)
        switch exchange {
        case .plain, .oauthBearer, .xoauth2, .tokenRefused: self.reply(.challenge)
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
            self.running = .authenticating(mechanism: exchange.tokenMechanism)
            self.actions.append(.authenticate(credentials))
        case .challenge(let next): self.challenge(next)
        case .cancelled: self.refuse(.canceled)
        case .malformedBase64: self.refuse(.malformedBase64)
        case .malformedMessage, .otherIdentity: self.loginFinished(self.clientLogin.refused())
        case .incompleteToken:
            self.loginFinished(self.clientLogin.refused(), mechanism: exchange.tokenMechanism)
        case .failed(let endsConnection):
            self.reply(.authenticationFailed)
            if endsConnection { self.end(.tooManyErrors) }
        }
    }

    /// The check of the password or token has finished. An account in a login name (`LOGIN/ACCOUNT`) has no effect here: the
    /// permission to send is decided for each message.
    package mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        guard case .authenticating(let mechanism) = self.running else { return }
        self.running = .nothing
        let result = self.clientLogin.checked(outcome, in: self.snapshot, mayOpen: true)
        self.loginFinished(result, mechanism: mechanism)
        self.readClient()
    }

    /// Writes the audit record of a login and answers the client. The client of a refused token first
    /// learns why (RFC 7628 §3.2.3).
    /// - Parameter mechanism: the mechanism of a token; nil for a password.
    private mutating func loginFinished(
        _ result: ClientLogin.Result,
        mechanism: SASLMechanism? = nil
    ) {
        if let event = result.event { self.actions.append(.audit(event)) }
        switch result.answer {
        case .failed where mechanism != nil:
            guard let mechanism, let tokens = self.settings.methods.tokens else { break }
            self.running = .awaitingLogin(.tokenRefused(endsConnection: result.endsConnection))
            let challenge = Base64.encode(tokens.challenge(of: mechanism))
            return self.reply(.tokenChallenge(challenge))
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

extension LoginMethods {
    /// The longest line before login, in octets.
    var maximumLineOctets: Int {
        self.tokens == nil ? CommandLine.maximumOctets : CommandLine.maximumTokenOctets
    }
}
