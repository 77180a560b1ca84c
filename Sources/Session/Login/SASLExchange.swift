import SASL

/// The state of a SASL exchange: which message the client sends next (RFC 4422 §3), in any
/// protocol.
enum SASLExchange: Equatable {
    /// The only message of PLAIN (RFC 4616 §2).
    case plain
    /// The response to the first challenge of LOGIN, the name (draft-murchison-sasl-login-00).
    case loginName
    /// The response to the second challenge of LOGIN, the password.
    case loginPassword(name: [UInt8])
    /// The first message of OAUTHBEARER (RFC 7628 §3.1).
    case oauthBearer
    /// The first message of XOAUTH2.
    case xoauth2
    /// The response to the challenge that says why a token was refused (RFC 7628 §3.2.3).
    /// - Parameter endsConnection: whether the connection ends after the answer.
    case tokenRefused(endsConnection: Bool)

    /// The consequence of a message of the client.
    enum Step: Equatable {
        /// The exchange is complete; the password or token has to be checked.
        case authenticate(Credentials)
        /// The next challenge has to be sent.
        case challenge(SASLExchange)
        /// The client sent `*`.
        case cancelled
        case malformedBase64
        case malformedMessage
        /// The client asks to act as another user than the one whose password it sends.
        case otherIdentity
        /// The client sent no token, or leaves to the token who the user is.
        case incompleteToken
        /// The client has seen why its token was refused: the exchange has failed.
        case failed(endsConnection: Bool)
    }

    /// The exchange that begins with a mechanism; nil if the sources do not support it.
    /// - Parameter offered: the mechanisms that were announced.
    init?(mechanism name: some Sequence<UInt8>, offered: [SASLMechanism]) {
        guard let mechanism = SASLMechanism(name: name), offered.contains(mechanism) else {
            return nil
        }
        switch mechanism {
        case .plain: self = .plain
        case .login: self = .loginName
        case .oauthBearer: self = .oauthBearer
        case .xoauth2: self = .xoauth2
        }
    }

    /// The mechanism of a first message with a token; nil for any other state.
    var tokenMechanism: SASLMechanism? {
        switch self {
        case .oauthBearer: .oauthBearer
        case .xoauth2: .xoauth2
        case .plain, .loginName, .loginPassword, .tokenRefused: nil
        }
    }

    /// Decodes a line of the client and processes its message.
    /// - Parameter line: Base64, or `*` to cancel (RFC 4954 §4, RFC 9051 §6.2.2), without trailing
    ///   spaces.
    func lineReceived(_ line: [UInt8]) -> Step {
        // Clients answer with an empty line, with %x01, or cancel.
        if case .tokenRefused(let endsConnection) = self {
            return .failed(endsConnection: endsConnection)
        }
        guard line != [UInt8(ascii: "*")] else { return .cancelled }
        guard let message = Base64.decode(line) else { return .malformedBase64 }
        return self.messageReceived(message)
    }

    /// Processes a decoded message of the client.
    func messageReceived(_ message: [UInt8]) -> Step {
        switch self {
        case .plain:
            guard let (authzid, authcid, password) = SASLPlain.decode(message) else {
                return .malformedMessage
            }
            guard authzid.isEmpty || authzid == authcid else { return .otherIdentity }
            return .authenticate(Credentials(name: authcid, password: password))
        case .loginName:
            return .challenge(.loginPassword(name: message))
        case .loginPassword(let name):
            return .authenticate(Credentials(name: name, password: Secret(message)))
        case .oauthBearer:
            return self.step(SASLBearer(oauthBearer: message))
        case .xoauth2:
            return self.step(SASLBearer(xoauth2: message))
        case .tokenRefused(let endsConnection):
            return .failed(endsConnection: endsConnection)
        }
    }

    private func step(_ bearer: SASLBearer?) -> Step {
        guard let bearer else { return .malformedMessage }
        guard !bearer.user.isEmpty, !bearer.token.value.isEmpty else { return .incompleteToken }
        return .authenticate(Credentials(name: bearer.user, proof: .token(bearer.token)))
    }
}
