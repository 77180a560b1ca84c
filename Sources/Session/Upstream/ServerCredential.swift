package import IMAP

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
    var mechanism: String {
        switch self.proof {
        case .password: "PLAIN"
        case .token: "XOAUTH2"
        }
    }

    /// That message in base64: `NUL user NUL password` (RFC 4616), or Microsoft's and Google's
    /// `user=…^Aauth=Bearer …^A^A`.
    var message: [UInt8] {
        switch self.proof {
        case .password(let password):
            Base64.encode([0] + self.username + [0] + password.value)
        case .token(let token):
            Base64.encode(
                Array("user=".utf8) + self.username + [1] + Array("auth=Bearer ".utf8)
                    + token.value + [1, 1]
            )
        }
    }

    /// For mechanisms older than SASL; nil for a token, which only SASL carries.
    var password: [UInt8]? {
        guard case .password(let password) = self.proof else { return nil }
        return password.value
    }
}
