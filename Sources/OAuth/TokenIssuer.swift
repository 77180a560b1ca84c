package import Cryptography

/// An issuer of access tokens that the gateway accepts.
///
/// The issuer decides who logs in under which name: configure only issuers that may do so for every
/// user of the gateway.
///
/// ID tokens (OpenID Connect Core 1.0 §2) are for the application that requested them, and give no
/// access: name the audience of the gateway's API in `audiences`, not a client ID of an
/// application. A token that is recognizable as an ID token is refused whatever its audience is
/// (`at_hash`, `c_hash`, `"typ": "ID"`).
package struct TokenIssuer: Hashable, Sendable {
    /// The source of the issuer's keys.
    package enum Keys: Hashable, Sendable {
        /// `jwks_uri` of the discovery document (OpenID Connect Discovery 1.0 §4).
        case discovery
        /// A JWK set at this `https` URL (RFC 7517 §5).
        case jwks(url: String)
    }

    /// The way to verify a token.
    package enum Verification: Hashable, Sendable {
        /// By its signature (RFC 7519), without a request for each token.
        case signature(Keys)
        /// By a request to the issuer (RFC 7662). At most one issuer: a token that is not a JSON Web
        /// Token does not name its issuer.
        case introspection(Introspection)
    }

    /// The access to an introspection endpoint.
    package struct Introspection: Hashable, Sendable {
        /// The `https` URL; nil for `introspection_endpoint` of the discovery document.
        package var url: String?
        /// The gateway's own client ID at the issuer.
        package var clientID: String
        package var clientSecret: ClientSecret

        package init(url: String?, clientID: String, clientSecret: ClientSecret) {
            self.url = url
            self.clientID = clientID
            self.clientSecret = clientSecret
        }
    }

    /// The exact value of the claim `iss`.
    package var issuer: String
    /// The claim `aud` must contain one of them.
    package var audiences: [String]
    /// The signature algorithms that the issuer may use; unused for introspection.
    package var algorithms: Set<SignatureAlgorithm> = [.rs256, .es256]
    /// The claim that is the login, such as `email`, `preferred_username`, `upn` or `sub`.
    package var loginClaim: String
    /// Whether a token without `email_verified` may log in by its claim `email`. Microsoft does not
    /// send `email_verified`. A token that says `false` is refused nevertheless.
    package var trustsUnverifiedEmail = false
    /// The scopes that a token needs, in `scope` (RFC 8693 §4.2) or `scp`.
    package var requiredScopes: [String] = []
    package var verification = Verification.signature(.discovery)
    /// A PEM file of authorities to trust for the issuer's servers instead of the system's.
    package var caFile: String?

    /// The URL of the discovery document; nil if it is not used. It has no character that JSON escapes.
    package var discoveryURL: String? {
        guard case .signature(.discovery) = self.verification else { return nil }
        let base = self.issuer.hasSuffix("/") ? String(self.issuer.dropLast()) : self.issuer
        return base.contains { $0 == "\"" || $0 == "\\" }
            ? nil : "\(base)/.well-known/openid-configuration"
    }

    package init(issuer: String, audiences: [String], loginClaim: String) {
        self.issuer = issuer
        self.audiences = audiences
        self.loginClaim = loginClaim
    }
}

/// The gateway's password at an introspection endpoint. It is never printed.
package struct ClientSecret: Hashable, Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    let value: String

    package init(_ value: String) {
        self.value = value
    }

    package var description: String { "(redacted)" }
    package var debugDescription: String { "(redacted)" }
    /// Without children: `dump` prints no part of the secret.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
