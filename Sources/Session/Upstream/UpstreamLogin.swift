import IMAP
package import SASL

package import struct NIOCore.ByteBuffer

/// The conversation with a server from its greeting until the gateway is logged in and knows what
/// the server can do.
///
/// Only a greeting, capabilities and the answer to the command in flight are legal here: whatever
/// else arrives before the login ends the connection, and nothing said before STARTTLS counts
/// after it (RFC 9051 §11.3, §6.2.1).
package struct UpstreamLogin: Sendable {
    /// How the connection is protected when the greeting arrives.
    package enum Security: Equatable, Sendable {
        /// TLS from the first octet, or a loopback connection without any.
        case established
        case startTLS
    }

    package typealias Failure = UpstreamLoginFailure
    package typealias Action = LoginAction<UpstreamProfile, Failure>

    /// Responses of a server until the login is over. Servers send about ten, and perhaps some with news for
    /// their users. A server that goes on with responses that answer nothing would keep an event loop busy
    /// until the login has to be over.
    package static let maximumResponses = 200
    /// Octets of a server until the login is over: NAMESPACE may have the greatest length that is read, and as
    /// much is left for everything else.
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
        /// Everything is known, and the answer to ID is still to come.
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
    let known: UpstreamProfile?
    var tags: UpstreamTags
    var tag = ByteBuffer()
    var capabilities: Set<String> = []
    var isRefusalRead = false
    var hasNamespaces = false
    /// The tag of an ID command that the server has not answered yet.
    package internal(set) var identification: ByteBuffer?
    /// Whether the profile is what an earlier connection learnt.
    package internal(set) var usesKnown = false
    var profile = UpstreamProfile(capabilities: [], delimiter: nil)

    /// - Parameters:
    ///   - known: what an earlier connection learnt; spares asking again.
    ///   - tags: the connection's tags, not guessable by the server before they are sent.
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

    /// Whether the server has the whole credential, and has not answered.
    package var awaitsVerdict: Bool { self.state == .authenticating }

    /// The tags to go on with after the login.
    package var remainingTags: UpstreamTags { self.tags }

    /// So many octets arrived, of whatever responses.
    ///
    /// - Returns: false where the server has said more than belongs to a login; the login is over then.
    package mutating func takesOctets(_ count: Int) -> Bool {
        self.octets += count
        guard self.octets > Self.maximumOctets else { return true }
        self.state = .finished
        return false
    }

    /// One whole response arrived; literals in line.
    ///
    /// - Parameter isLast: whether nothing came behind it.
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

    /// TLS is up after STARTTLS: everything known so far is forgotten.
    package mutating func tlsEstablished() -> [Action] {
        guard self.state == .negotiatingTLS else { return self.fail(.unexpectedResponse) }
        self.capabilities = []
        return self.ask("CAPABILITY", then: .awaitingCapabilities(beforeStartTLS: false))
    }

    // MARK: - The commands, in order

    mutating func ask(_ command: StaticString, then state: State) -> [Action] {
        self.state = state
        self.tag = self.tags.next()
        var line = self.tag
        line.writeInteger(UInt8(ascii: " "))
        line.writeStaticString(command)
        line.writeStaticString("\r\n")
        return [.send(line)]
    }

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
        case .authenticating, .awaitingChallenge:
            guard condition == .ok else {
                return self.fail(Quirks.failure(text) ?? Failure(refusal: text))
            }
            return self.loggedIn(text)
        case .awaitingFinalCapabilities:
            if let failure = Quirks.failure(text) { return self.fail(failure) }
            return self.askNamespaces()
        case .awaitingNamespaces:
            if let failure = Quirks.failure(text) { return self.fail(failure) }
            // Without it nobody knows which of the mailboxes are others', shared by the server.
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

    /// Everything is known; the next command of the connection comes behind the answer to ID.
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

    mutating func askNamespaces() -> [Action] {
        let identification = self.identify(to: self.capabilities)
        if self.capabilities.contains("NAMESPACE") {
            return identification + self.ask("NAMESPACE", then: .awaitingNamespaces)
        }
        return identification + self.ask("LIST \"\" \"\"", then: .awaitingDelimiter)
    }

    /// Who has greeted in IMAP speaks it, whatever it says then.
    var unreadable: Failure {
        self.state == .awaitingGreeting ? .notIMAP : .unexpectedResponse
    }

    mutating func fail(_ failure: Failure) -> [Action] {
        self.state = .finished
        return [.fail(failure)]
    }
}
