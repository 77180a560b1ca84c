/// What the gateway logs in with at an account's server, for sending or for mail.
package struct UpstreamCredential: Equatable, Sendable {
    package enum Proof: Equatable, Sendable {
        case password(Secret<[UInt8]>)
        /// An OAuth access token.
        case token(Secret<[UInt8]>)

        package var secret: Secret<[UInt8]> {
            switch self {
            case .password(let secret), .token(let secret): secret
            }
        }
    }

    package let username: [UInt8]
    package let proof: Proof

    package init(username: [UInt8], proof: Proof) {
        self.username = username
        self.proof = proof
    }

    /// Whether neither part is empty, or has a control character in it: that could end a line or a field of the login,
    /// and begin another.
    package var isLegal: Bool {
        Self.isLegal(self.username) && Self.isLegal(self.proof.secret.value)
    }

    /// Whether this may be a part of a credential.
    package static func isLegal(_ octets: some Collection<UInt8>) -> Bool {
        !octets.isEmpty && octets.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// The SASL mechanism that takes everything in one message.
    package var mechanism: SASLMechanism {
        switch self.proof {
        case .password: .plain
        case .token: .xoauth2
        }
    }

    /// That message in base64.
    package var message: [UInt8] {
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
    package var password: [UInt8]? {
        guard case .password(let password) = self.proof else { return nil }
        return password.value
    }
}
