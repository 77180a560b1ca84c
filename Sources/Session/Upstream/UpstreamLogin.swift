import IMAP
package import SASL

package import struct NIOCore.ByteBuffer

/// The login at an IMAP server: from the greeting until the gateway is logged in and knows the server's
/// capabilities, namespaces and hierarchy delimiter.
///
/// Before the login, only status responses, capabilities and the answer to the command in flight are legal. Any
/// other response ends the connection. Capabilities received before STARTTLS are discarded
/// (RFC 9051 §11.3, §6.2.1).
package struct UpstreamLogin: Sendable {
    /// How the connection is protected when the greeting arrives.
    package enum Security: Equatable, Sendable {
        /// Implicit TLS, or a loopback connection without TLS.
        case established
        case startTLS
    }

    package typealias Failure = UpstreamLoginFailure
    package typealias Action = LoginAction<UpstreamProfile, Failure>

    /// Responses that a server may send during the login. Servers send about ten, plus a few messages for their
    /// users. Without the limit, a server that never answers could keep an event loop busy with other responses
    /// until the login times out.
    package static let maximumResponses = 200
    /// Octets that a server may send during the login. NAMESPACE may reach the longest response that the gateway
    /// reads, and the same amount remains for all other responses.
    package static let maximumOctets = 2 * ResponseCollector.maximumOctets

    enum State: Equatable, Sendable {
        case awaitingGreeting
        case awaitingCapabilities(beforeStartTLS: Bool)
        case awaitingStartTLS
        case negotiatingTLS
        case awaitingChallenge
        case authenticating
        case awaitingFinalCapabilities
        case awaitingNamespaces
        case awaitingDelimiter
        /// The profile is complete, but the server has not yet answered ID.
        case awaitingIdentification
        case finished
    }

    var state = State.awaitingGreeting
    /// The server's first response.
    package private(set) var greeting: ByteBuffer?
    private var responses = 0
    private var octets = 0
    let security: Security
    let credential: UpstreamCredential
    /// The profile that an earlier connection learnt.
    let known: UpstreamProfile?
    var tags: UpstreamTags
    /// The tag of the command in flight, apart from ID.
    var tag = ByteBuffer()
    /// The capabilities that the server sent last, in upper case.
    var capabilities: Set<String> = []
    /// Whether the challenge with the reason of a refused token was answered.
    var isRefusalRead = false
    /// Whether a NAMESPACE response has arrived.
    var hasNamespaces = false
    /// The tag of an ID command that the server has not answered yet.
    package internal(set) var identification: ByteBuffer?
    /// Whether the login ended with ``known`` as its profile.
    package internal(set) var usesKnown = false
    /// The profile that this connection learns.
    var profile = UpstreamProfile(capabilities: [], delimiter: nil)

    /// - Parameters:
    ///   - known: the profile that an earlier connection learnt. After a password login it saves round trips.
    ///   - tags: the connection's tags; a server cannot guess a tag before it is sent.
    package init(
        security: Security,
        credential: UpstreamCredential,
        known: UpstreamProfile?,
        tags: UpstreamTags
    ) {
        self.security = security
        self.credential = credential
        self.known = known
        self.tags = tags
    }

    /// Whether the server has the whole credential and has not yet accepted or refused it.
    package var awaitsVerdict: Bool { self.state == .authenticating }

    /// The tags for the commands after the login.
    package var remainingTags: UpstreamTags { self.tags }

    /// Counts octets that arrived.
    ///
    /// - Returns: false if the server has exceeded ``maximumOctets``; the login has then ended.
    package mutating func takesOctets(_ count: Int) -> Bool {
        self.octets += count
        guard self.octets > Self.maximumOctets else { return true }
        self.state = .finished
        return false
    }

    /// Takes one whole response with its literals.
    ///
    /// - Parameter isLast: whether no octets follow the response.
    package mutating func responseReceived(_ response: ByteBuffer, isLast: Bool) -> [Action] {
        self.responses += 1
        if self.greeting == nil { self.greeting = response }
        guard self.responses <= Self.maximumResponses else { return self.fail(.tooManyResponses) }
        guard let head = try? ResponseHead(response) else { return self.fail(self.unreadable) }
        switch head {
        case .status(let condition, let text):
            return self.statusReceived(condition, text: text)
        case .data(.capability):
            return self.capabilitiesReceived(response)
        case .data(let kind):
            return self.dataReceived(kind, response: response)
        case .continuation:
            return self.challengeReceived()
        case .tagged(let tag, _, let text) where tag == self.identification:
            return self.identified(text)
        case .tagged(let tag, let condition, let text):
            guard tag == self.tag else { return self.fail(.unexpectedResponse) }
            return self.completionReceived(condition, text: text, isLast: isLast)
        case .numbered:
            return self.state == .awaitingGreeting
                ? self.fail(.notIMAP) : self.fail(.unexpectedResponse)
        }
    }

    /// The TLS handshake after STARTTLS is complete. Discards the capabilities and asks for them again.
    package mutating func tlsEstablished() -> [Action] {
        guard self.state == .negotiatingTLS else { return self.fail(.unexpectedResponse) }
        self.capabilities = []
        return self.ask("CAPABILITY", then: .awaitingCapabilities(beforeStartTLS: false))
    }

    // MARK: - The commands, in order

    /// Sends a command under a new tag and enters a state.
    mutating func ask(_ command: StaticString, then state: State) -> [Action] {
        self.state = state
        self.tag = self.tags.next()
        var line = self.tag
        line.writeInteger(UInt8(ascii: " "))
        line.writeStaticString(command)
        line.writeStaticString("\r\n")
        return [.send(line)]
    }

    /// The server completed the command in flight.
    private mutating func completionReceived(
        _ condition: Condition,
        text: ByteBuffer,
        isLast: Bool
    ) -> [Action] {
        switch self.state {
        case .awaitingCapabilities(beforeStartTLS: true):
            guard condition == .ok, self.capabilities.contains("STARTTLS") else {
                return self.fail(.noStartTLS)
            }
            return self.ask("STARTTLS", then: .awaitingStartTLS)
        case .awaitingStartTLS:
            guard condition == .ok else { return self.fail(.noStartTLS) }
            guard isLast else { return self.fail(.octetsBehindStartTLS) }
            self.state = .negotiatingTLS
            return [.startTLS]
        case .awaitingCapabilities(beforeStartTLS: false):
            guard condition == .ok else { return self.fail(.unexpectedResponse) }
            return self.authenticate()
        case .awaitingChallenge:
            // The server has no password or token yet, so no answer of it judges one.
            guard condition != .ok else { return self.fail(.unexpectedResponse) }
            return self.fail(Quirks.failure(text) ?? .temporarilyRefused)
        case .authenticating:
            guard condition == .ok else {
                return self.fail(Quirks.failure(text) ?? Failure(refusal: text))
            }
            return self.loggedIn(text)
        case .awaitingFinalCapabilities:
            if let failure = Quirks.failure(text) { return self.fail(failure) }
            return self.askNamespaces()
        case .awaitingNamespaces:
            if let failure = Quirks.failure(text) { return self.fail(failure) }
            // Without NAMESPACE the gateway could not tell the account's own mailboxes from those that the server
            // shares with it.
            guard condition == .ok, self.hasNamespaces else {
                return self.fail(.unexpectedResponse)
            }
            return self.ask("LIST \"\" \"\"", then: .awaitingDelimiter)
        case .awaitingDelimiter:
            if let failure = Quirks.failure(text) { return self.fail(failure) }
            guard condition == .ok else { return self.fail(.unexpectedResponse) }
            return self.learned()
        case .awaitingGreeting, .negotiatingTLS, .awaitingIdentification, .finished:
            return self.fail(.unexpectedResponse)
        }
    }

    /// The profile is complete. The login ends once the server has also answered ID.
    mutating func learned() -> [Action] {
        guard self.identification == nil else {
            self.state = .awaitingIdentification
            return []
        }
        self.state = .finished
        self.profile.capabilities = self.capabilities
        return [.ready(self.profile)]
    }

    // MARK: - ID

    /// Sends ID, then NAMESPACE if the server offers it, else LIST for the delimiter.
    mutating func askNamespaces() -> [Action] {
        let identification = self.identify(to: self.capabilities)
        if self.capabilities.contains("NAMESPACE") {
            return identification + self.ask("NAMESPACE", then: .awaitingNamespaces)
        }
        return identification + self.ask("LIST \"\" \"\"", then: .awaitingDelimiter)
    }

    /// The failure for a response that does not parse. A server that has sent an IMAP greeting is an IMAP server.
    var unreadable: Failure {
        self.state == .awaitingGreeting ? .notIMAP : .unexpectedResponse
    }

    mutating func fail(_ failure: Failure) -> [Action] {
        self.state = .finished
        return [.fail(failure)]
    }
}
