import SASL

/// How clients may log in: with what the authentication sources of the gateway can check.
package struct LoginMethods: Equatable, Sendable {
    /// Whether a source checks passwords: PLAIN, LOGIN and the command LOGIN of IMAP.
    package var takesPasswords: Bool
    /// What a client is told when its access token is refused; nil if no source checks tokens
    /// (OAUTHBEARER and XOAUTH2).
    package var tokens: TokenRequirements?

    package init(takesPasswords: Bool = true, tokens: TokenRequirements? = nil) {
        self.takesPasswords = takesPasswords
        self.tokens = tokens
    }

    /// Octets of all commands before login. Greeting, capabilities, STARTTLS and a password take some
    /// hundred, three access tokens some ten thousand. Above it, an unknown client could occupy the
    /// gateway for nothing.
    var maximumOctets: Int { self.tokens == nil ? 16 * 1_024 : 64 * 1_024 }

    /// The mechanisms for IMAP. LOGIN is an IMAP command of its own.
    var imapMechanisms: [SASLMechanism] {
        (self.takesPasswords ? [.plain] : []) + self.tokenMechanisms
    }

    /// The mechanisms for submission.
    var submissionMechanisms: [SASLMechanism] {
        (self.takesPasswords ? [.plain, .login] : []) + self.tokenMechanisms
    }

    private var tokenMechanisms: [SASLMechanism] {
        self.tokens == nil ? [] : [.oauthBearer, .xoauth2]
    }
}

/// What an access token needs to be accepted, for the client whose token was refused
/// (RFC 7628 §3.2.2).
package struct TokenRequirements: Equatable, Sendable {
    /// The scopes that a token needs, separated by spaces; empty for none.
    package var scope: String
    /// The URL of the issuer's OpenID Connect configuration; nil if there are several issuers, or none
    /// has one.
    package var configuration: String?

    /// - Parameters:
    ///   - scope: neither has a quotation mark, a backslash or a control character.
    package init(scope: String, configuration: String?) {
        self.scope = scope
        self.configuration = configuration
    }

    /// The JSON text of the challenge that follows a refused token.
    func challenge(of mechanism: SASLMechanism) -> [UInt8] {
        var members =
            mechanism == .oauthBearer
            ? [("status", "invalid_token")] : [("status", "401"), ("schemes", "bearer")]
        if !self.scope.isEmpty { members.append(("scope", self.scope)) }
        if mechanism == .oauthBearer, let configuration {
            members.append(("openid-configuration", configuration))
        }
        let texts = members.map { "\"\($0.0)\":\"\($0.1)\"" }
        return Array("{\(texts.joined(separator: ","))}".utf8)
    }
}
