package import SASL

/// What a client logs in with: its name, and a password or an access token.
package struct Credentials: Equatable, Sendable {
    /// What proves the name.
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

    /// The login, without an account.
    package var login: [UInt8]
    /// The account after `/` in `LOGIN/ACCOUNT`, shown as the personal one; nil without `/`.
    package var account: [UInt8]?
    package var proof: Proof

    /// - Parameter name: `login` or `login/account`, as the client sent it.
    package init(name: [UInt8], proof: Proof) {
        let slash = name.firstIndex(of: UInt8(ascii: "/"))
        self.login = Array(name[..<(slash ?? name.endIndex)])
        self.account = slash.map { Array(name[name.index(after: $0)...]) }
        self.proof = proof
    }

    /// - Parameter name: `login` or `login/account`, as the client sent it.
    package init(name: [UInt8], password: Secret<[UInt8]>) {
        self.init(name: name, proof: .password(password))
    }
}
