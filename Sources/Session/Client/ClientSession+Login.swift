import Access
import IMAP
import SASL

import struct NIOCore.ByteBuffer

extension ClientSession {
    // MARK: - Before login

    /// CAPABILITY (RFC 9051 §6.1.1).
    mutating func capability(_ tag: ByteBuffer) {
        self.emit(Reply.capability(self.capabilities))
        self.finish(tag, text: .completed("CAPABILITY"))
    }

    /// ID (RFC 2971 §3.1): the gateway discards the client's identification and sends its own name.
    mutating func id(_ tag: ByteBuffer) {
        self.emit(Reply.id(name: "Gatepost"))
        self.finish(tag, text: .completed("ID"))
    }

    /// LOGOUT (RFC 9051 §6.1.3).
    mutating func logout(_ tag: ByteBuffer) {
        self.emit(Reply.untagged(.bye(.loggedOut)))
        self.answer(tag, text: .completed("LOGOUT"))
        self.end(nil)
    }

    /// STARTTLS (RFC 9051 §6.2.1). Octets pipelined behind it end the connection, because they were
    /// sent without TLS.
    mutating func startTLS(_ tag: ByteBuffer) {
        guard !self.hasTLS else { return self.finish(tag, text: .badState) }
        guard self.reader.bufferedOctets == 0 else {
            return self.end(.bye(.octetsBehindStartTLS))
        }
        self.answer(tag, text: .beginTLS)
        self.running = .negotiatingTLS
        self.actions.append(.startTLS)
    }

    /// LOGIN (RFC 9051 §6.2.3) needs TLS.
    mutating func login(_ tag: ByteBuffer, login: Login) {
        guard self.hasTLS else { return self.finish(tag, text: .privacyRequired) }
        guard self.clientLogin.methods.takesPasswords else {
            return self.finish(tag, text: .unknownMechanism)
        }
        self.authenticate(
            tag,
            mechanism: nil,
            credentials: Credentials(name: login.username, password: login.password)
        )
    }

    /// AUTHENTICATE (RFC 9051 §6.2.2) needs TLS. The mechanisms are those that were announced.
    mutating func authenticate(_ tag: ByteBuffer, authenticate: Authenticate) {
        guard self.hasTLS else { return self.finish(tag, text: .privacyRequired) }
        let exchange = SASLExchange(
            mechanism: authenticate.mechanism.readableBytesView,
            offered: self.clientLogin.methods.imapMechanisms
        )
        guard let exchange else { return self.finish(tag, text: .unknownMechanism) }
        if let response = authenticate.initialResponse {
            let step = exchange.messageReceived(response.value)
            return self.perform(step, of: exchange, tag: tag)
        }
        self.await(exchange, tag: tag, challenge: [])
    }

    /// Sends a challenge, and waits for the client's response.
    /// - Parameter challenge: the octets, before base64.
    private mutating func await(_ exchange: SASLExchange, tag: ByteBuffer, challenge: [UInt8]) {
        self.running = .awaitingSASLResponse(tag: tag, exchange)
        self.reader.readsLines = true
        self.emit(Reply.continuation(.sasl(challenge: Base64.encode(challenge))))
    }

    /// The client's response to the challenge: Base64, or `*` to cancel (RFC 9051 §6.2.2).
    mutating func saslResponseReceived(
        _ line: ByteBuffer,
        tag: ByteBuffer,
        exchange: SASLExchange
    ) {
        self.reader.readsLines = false
        self.running = .nothing
        let step = exchange.lineReceived(Array(line.readableBytesView))
        self.perform(step, of: exchange, tag: tag)
    }

    /// Continues the login after a SASL message. A malformed or cancelled exchange is answered BAD
    /// and counts as a syntax error.
    private mutating func perform(
        _ step: SASLExchange.Step,
        of exchange: SASLExchange,
        tag: ByteBuffer
    ) {
        switch step {
        case .authenticate(let credentials):
            self.authenticate(tag, mechanism: exchange.tokenMechanism, credentials: credentials)
        case .otherIdentity:
            self.loginFinished(self.clientLogin.refused(), tag: tag, failure: .authorizationFailed)
        case .incompleteToken:
            self.loginFinished(
                self.clientLogin.refused(),
                tag: tag,
                failure: .authenticationFailed,
                mechanism: exchange.tokenMechanism
            )
        case .failed(let endsConnection):
            self.finish(tag, text: .authenticationFailed)
            if endsConnection { self.end(.bye(.tooManyLogins)) }
        case .cancelled, .malformedBase64, .malformedMessage, .challenge:
            self.strike()
            self.answer(tag, text: .badSyntax)
        }
    }

    /// Requests the check of a password or token.
    private mutating func authenticate(
        _ tag: ByteBuffer,
        mechanism: SASLMechanism?,
        credentials: Credentials
    ) {
        self.running = .authenticating(tag: tag, mechanism: mechanism)
        self.actions.append(.authenticate(credentials))
    }

    // MARK: - The answer

    /// The check of the password or token has finished.
    package mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        guard case .authenticating(let tag, let mechanism) = self.running else { return }
        let result = self.clientLogin.checked(
            outcome,
            in: self.snapshot,
            mayOpen: self.isAccountVisible(outcome)
        )
        self.loginFinished(
            result,
            tag: tag,
            failure: .authenticationFailed,
            mechanism: mechanism
        )
        self.readClient()
    }

    /// Whether the user may see the account that `LOGIN/ACCOUNT` named; true if it named none.
    private func isAccountVisible(_ outcome: AuthenticationOutcome) -> Bool {
        guard case .accepted(let user, let account?, _) = outcome else { return true }
        return self.snapshot.accounts(visibleTo: user, at: self.now).contains { $0.id == account }
    }

    /// Answers a login. A successful one is answered after its servers were asked for their
    /// capabilities (``discoverCapabilities(_:known:)``). The client of a refused token first learns
    /// why (RFC 7628 §3.2.3).
    /// - Parameter mechanism: the mechanism of a token; nil for a password.
    private mutating func loginFinished(
        _ result: ClientLogin.Result,
        tag: ByteBuffer,
        failure: ReplyText,
        mechanism: SASLMechanism? = nil
    ) {
        if let event = result.event { self.actions.append(.audit(event)) }
        switch result.answer {
        case .failed where mechanism != nil:
            guard let mechanism, let tokens = self.clientLogin.methods.tokens else { break }
            return self.await(
                .tokenRefused(endsConnection: result.endsConnection),
                tag: tag,
                challenge: tokens.challenge(of: mechanism)
            )
        case .failed:
            self.finish(tag, text: failure)
        case .overloaded:
            self.finish(tag, text: .passwordCheckOverloaded)
        case .unavailable:
            self.finish(tag, text: .passwordCheckUnavailable)
        case .tooManyConnections:
            self.finish(tag, text: .tooManyConnectionsOfUser)
        case .accepted(let account, let profiles):
            self.onlyAccount = account
            self.refreshNamespace()
            self.reader.limits = .afterLogin
            self.syntaxErrors = 0
            self.discoverCapabilities(tag, known: profiles)
        }
        if result.endsConnection { self.end(.bye(.tooManyLogins)) }
    }

    /// Finds out which capabilities the answer to the login announces. If the profile of the
    /// personal account's server is unknown, the login waits for that server. Without a personal
    /// account, it waits for a short time for all servers with unknown profiles.
    private mutating func discoverCapabilities(
        _ tag: ByteBuffer,
        known: [AccountID: UpstreamProfile?]
    ) {
        var unknown: Set<AccountID> = []
        for view in self.namespace.views {
            switch known[view.account] {
            case .some(.some(let profile)): self.profiles[view.account] = profile
            case .some(.none): break
            case .none: unknown.insert(view.account)
            }
        }
        // With a personal account, the profiles of other servers are read when a command needs
        // them.
        if let personal = self.namespace.personal { unknown.formIntersection([personal]) }
        guard !unknown.isEmpty else { return self.loggedIn(tag) }
        self.running = .discoveringCapabilities(tag: tag, waitingFor: unknown)
        for account in unknown.sorted() { self.open(account) }
        self.actions.append(.limitWaiting)
    }

    /// A server that was asked at login has answered, or failed.
    mutating func capabilitiesDiscovered(_ account: AccountID) {
        guard case .discoveringCapabilities(let tag, var waiting) = self.running else { return }
        waiting.remove(account)
        self.running = .discoveringCapabilities(tag: tag, waitingFor: waiting)
        if waiting.isEmpty { self.loggedIn(tag) }
    }

    /// Answers the login with the capabilities that are known now.
    mutating func loggedIn(_ tag: ByteBuffer) {
        self.finish(tag, text: .loggedIn(self.capabilities))
    }
}
