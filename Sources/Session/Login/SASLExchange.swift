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

    /// The consequence of a message of the client.
    enum Step: Equatable {
        /// The exchange is complete; the password has to be checked.
        case authenticate(Credentials)
        /// The next challenge has to be sent.
        case challenge(SASLExchange)
        /// The client sent `*`.
        case cancelled
        case malformedBase64
        case malformedMessage
        /// The client asks to act as another user than the one whose password it sends.
        case otherIdentity
    }

    /// Decodes a line of the client and processes its message.
    /// - Parameter line: Base64, or `*` to cancel (RFC 4954 §4, RFC 9051 §6.2.2), without trailing
    ///   spaces.
    func lineReceived(_ line: [UInt8]) -> Step {
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
        }
    }
}
