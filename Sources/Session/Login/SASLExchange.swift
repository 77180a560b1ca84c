import SASL

/// What a client's next message in a SASL exchange is (RFC 4422 §3), whatever protocol carries it.
enum SASLExchange: Equatable {
    /// The one message of PLAIN (RFC 4616 §2).
    case plain
    /// The answers to the two challenges of LOGIN (draft-murchison-sasl-login-00).
    case loginName
    case loginPassword(name: [UInt8])

    /// What a message of the client leads to.
    enum Step: Equatable {
        case authenticate(Credentials)
        case challenge(SASLExchange)
        case cancelled
        case malformedBase64
        case malformedMessage
        /// The client wants to act as somebody else than it logs in as.
        case otherIdentity
    }

    /// - Parameter line: Base64, or `*` to give up (RFC 4954 §4, RFC 9051 §6.2.2), without blanks at its end.
    func lineReceived(_ line: [UInt8]) -> Step {
        guard line != [UInt8(ascii: "*")] else { return .cancelled }
        guard let message = Base64.decode(line) else { return .malformedBase64 }
        return self.messageReceived(message)
    }

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
