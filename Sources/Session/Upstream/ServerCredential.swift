package import SASL

/// What the gateway logs in with at an account's server.
package struct ServerCredential: Equatable, Sendable {
    package enum Proof: Equatable, Sendable {
        case password(Secret<[UInt8]>)
        /// An OAuth access token.
        case token(Secret<[UInt8]>)
    }

    package var username: [UInt8]
    package var proof: Proof

    package init(username: [UInt8], proof: Proof) {
        self.username = username
        self.proof = proof
    }

    /// The SASL mechanism that takes everything in one message.
    var mechanism: SASLMechanism {
        switch self.proof {
        case .password: .plain
        case .token: .xoauth2
        }
    }

    /// That message in base64.
    var message: [UInt8] {
        let message =
            switch self.proof {
            case .password(let password):
                SASLPlain.encode(authcid: self.username, password: password)
            case .token(let token):
                SASLXOAUTH2.encode(user: self.username, token: token)
            }
        return Base64.encode(message.value)
    }

    /// For mechanisms older than SASL; nil for a token, which only SASL carries.
    var password: [UInt8]? {
        guard case .password(let password) = self.proof else { return nil }
        return password.value
    }
}
