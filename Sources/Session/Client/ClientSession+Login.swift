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
        self.authenticate(
            tag,
            credentials: Credentials(name: login.username, password: login.password)
        )
    }

    /// AUTHENTICATE (RFC 9051 §6.2.2) needs TLS. PLAIN is the only mechanism (RFC 4616).
    mutating func authenticate(_ tag: ByteBuffer, authenticate: Authenticate) {
        guard self.hasTLS else { return self.finish(tag, text: .privacyRequired) }
        guard SASLMechanism(name: authenticate.mechanism.readableBytesView) == .plain else {
            return self.finish(tag, text: .unknownMechanism)
        }
        if let response = authenticate.initialResponse {
            return self.perform(SASLExchange.plain.messageReceived(response.value), tag: tag)
        }
        self.running = .awaitingSASLResponse(tag: tag)
        self.reader.readsLines = true
        self.emit(Reply.continuation(.sasl))
    }

    /// The client's response to the challenge: Base64, or `*` to cancel (RFC 9051 §6.2.2).
    mutating func saslResponseReceived(_ line: ByteBuffer, tag: ByteBuffer) {
        self.reader.readsLines = false
        self.running = .nothing
        self.perform(SASLExchange.plain.lineReceived(Array(line.readableBytesView)), tag: tag)
    }

    /// Continues the login after a SASL message. A malformed or cancelled exchange is answered BAD
    /// and counts as a syntax error.
    private mutating func perform(_ step: SASLExchange.Step, tag: ByteBuffer) {
        switch step {
        case .authenticate(let credentials):
            self.authenticate(tag, credentials: credentials)
        case .otherIdentity:
            self.loginFinished(self.clientLogin.refused(), tag: tag, failure: .authorizationFailed)
        case .cancelled, .malformedBase64, .malformedMessage, .challenge:
            self.strike()
            self.answer(tag, text: .badSyntax)
        }
    }

    /// Requests the check of a password.
    private mutating func authenticate(_ tag: ByteBuffer, credentials: Credentials) {
        self.running = .authenticating(tag: tag)
        self.actions.append(.authenticate(credentials))
    }

    // MARK: - The answer

    /// The check of the password has finished.
    package mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        guard case .authenticating(let tag) = self.running else { return }
        let result = self.clientLogin.checked(
            outcome,
            in: self.snapshot,
            mayOpen: self.isAccountVisible(outcome)
        )
        self.loginFinished(result, tag: tag, failure: .authenticationFailed)
        self.readClient()
    }

    /// Whether the user may see the account that `LOGIN/ACCOUNT` named; true if it named none.
    private func isAccountVisible(_ outcome: AuthenticationOutcome) -> Bool {
        guard case .accepted(let user, let account?, _) = outcome else { return true }
        return self.snapshot.accounts(visibleTo: user, at: self.now).contains { $0.id == account }
    }

    /// Answers a login. A successful one is answered after its servers were asked for their
    /// capabilities (``discoverCapabilities(_:known:)``).
    private mutating func loginFinished(
        _ result: ClientLogin.Result,
        tag: ByteBuffer,
        failure: ReplyText
    ) {
        if let event = result.event { self.actions.append(.audit(event)) }
        switch result.answer {
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

    // MARK: - Visible accounts

    /// Builds the namespace from the accounts that the user may see now. The personal account comes
    /// first. Under `LOGIN/ACCOUNT` only the named account is visible.
    mutating func refreshNamespace() {
        guard let user = self.user else {
            self.namespace = Namespace(views: [])
            return
        }
        var views: [Namespace.View] = []
        let visible = self.snapshot.accounts(visibleTo: user, at: self.now)
        let own = self.onlyAccount ?? self.snapshot.personalAccount(of: user)
        for account in visible {
            if account.id == own {
                views.insert(Namespace.View(account: account.id, prefix: []), at: 0)
            } else if self.onlyAccount == nil {
                let root = account.owner == nil ? Namespace.shared : Namespace.otherUsers
                let prefix = root + [Namespace.delimiter] + account.address.octets
                views.append(
                    Namespace.View(account: account.id, prefix: prefix + [Namespace.delimiter])
                )
            }
        }
        self.namespace = Namespace(views: views)
    }

    /// The capabilities that CAPABILITY announces in the present state.
    var capabilities: [String] {
        mutating get {
            guard self.user != nil else { return Capabilities.beforeLogin(hasTLS: self.hasTLS) }
            if let known = self.offeredCapabilities { return known }
            let offered = Capabilities.afterLogin(
                personal: self.namespace.personal.flatMap { self.profiles[$0] },
                among: self.namespace.views.compactMap { self.profiles[$0.account] }
            )
            self.offeredCapabilities = offered
            return offered
        }
    }

    /// ENABLE (RFC 5161 §3.1) accepts announced capabilities that ENABLE has a meaning for, and
    /// ignores all others.
    mutating func enable(_ tag: ByteBuffer, enable: Enable) {
        let shown = Set(self.capabilities)
        var newly: [String] = []
        for name in enable.capabilities where Capabilities.enableable.contains(name) {
            guard shown.contains(name), !newly.contains(name) else { continue }
            newly.append(name)
            self.enabled.insert(name)
            // QRESYNC includes CONDSTORE (RFC 7162 §3.2.3).
            if name == "QRESYNC" { self.enabled.insert("CONDSTORE") }
        }
        self.emit(Reply.enabled(newly))
        self.finish(tag, text: .completed("ENABLE"))
    }

    /// NAMESPACE (RFC 9051 §6.3.10). `Other Users` and `Shared` are announced only if the user sees
    /// an account below.
    mutating func showNamespace(_ tag: ByteBuffer) {
        let views = self.namespace.views
        let hasOthers = views.contains { $0.prefix.starts(with: Namespace.otherUsers) }
        let hasShared = views.contains { $0.prefix.starts(with: Namespace.shared) }
        self.emit(
            Reply.namespace(
                personal: self.namespace.personal == nil ? [] : [[]],
                others: hasOthers ? [Namespace.otherUsers + [Namespace.delimiter]] : [],
                shared: hasShared ? [Namespace.shared + [Namespace.delimiter]] : [],
                delimiter: Namespace.delimiter
            )
        )
        self.finish(tag, text: .completed("NAMESPACE"))
    }
}
