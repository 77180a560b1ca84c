/// The result of the verification of a bearer token.
package enum TokenVerdict: Equatable, Sendable {
    case verified(VerifiedToken)
    /// The token gives no access.
    case refused(TokenRefusal)
    /// The token could be valid, but keys or an introspection cannot be had now. The text is for the
    /// administrator; it contains no part of the token.
    case unavailable(String)
}

/// The claims of a valid token that the gateway needs. It contains neither the token nor a digest
/// of it.
package struct VerifiedToken: Equatable, Sendable {
    /// The value of the login claim: at most 256 octets, without control characters. The caller
    /// compares it with the users' names.
    package var login: String
    /// The issuer, exactly as the configuration names it.
    package var issuer: String
    /// The expiry in seconds since 1970. It may be up to 60 seconds ago: clocks differ.
    package var expires: Int64
    /// The issuer, a space and the claim `sub`: an identity that outlives a change of the login. An
    /// issuer contains no space. Nil if the token has no `sub`.
    package var subject: String?
}

/// Why a token gives no access. The texts are for the administrator's log; they contain no part of
/// the token.
package enum TokenRefusal: String, Error, CaseIterable, CustomStringConvertible, Sendable {
    case tooLong = "the token is empty or longer than 16 KiB"
    case malformed = "the token is not a signed JSON Web Token"
    case criticalHeader = "the token's header demands an extension (crit)"
    case type = "the token's type (typ) is neither JWT nor at+jwt"
    case algorithm = "the token's signature algorithm (alg) is not allowed for its issuer"
    case unknownIssuer = "the token's issuer (iss) is not configured"
    case unknownKey = "the token's key (kid) is not among the issuer's keys"
    case unfitKey = "none of the issuer's keys fits the token's key (kid) and algorithm (alg)"
    case signature = "the token's signature is not valid"
    case inactive = "the issuer says that the token is not active"
    case time = "a time of the token (exp, nbf, iat) is missing or not a number"
    case expired = "the token has expired (exp)"
    case notYetValid = "the token is not valid yet (nbf, iat)"
    case issuer = "the introspection names another issuer (iss)"
    case audience = "the token is for another audience (aud)"
    case scope = "the token lacks a required scope (scope, scp)"
    case boundToKey = "the token is bound to a key of the client (cnf) and is no bearer token"
    case notAccessToken = "the token is an ID token, not an access token"
    case login = "the token's login claim is missing or not usable as a login"
    case unverifiedEmail = "the token's e-mail address is not verified (email_verified)"
    case subject = "the token's subject (sub) is not a text of at most 256 octets"

    package var description: String { self.rawValue }
}

/// The reason why a verification ended without a verified token.
enum TokenFailure: Error, Equatable {
    case refused(TokenRefusal)
    case unavailable(String)

    /// The failure as a verdict.
    var verdict: TokenVerdict {
        switch self {
        case .refused(let refusal): .refused(refusal)
        case .unavailable(let reason): .unavailable(reason)
        }
    }
}
