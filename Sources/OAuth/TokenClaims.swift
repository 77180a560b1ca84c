/// The check of the claims that an issuer has vouched for, by its signature (RFC 7519 §4.1) or in
/// an introspection response (RFC 7662 §2.2).
struct TokenClaims {
    /// The tolerance for clocks that differ, in seconds.
    private static let tolerance: Double = 60
    /// The range of times: 2^53 seconds, up to which a double counts whole seconds.
    private static let times: ClosedRange<Double> = 0...9_007_199_254_740_992
    /// The longest login and subject in octets. An address has at most 254.
    private static let maximumNameOctets = 256

    let claims: JSONObject
    let issuer: TokenIssuer

    /// The token, if every claim is in order at this time.
    /// - Parameter now: seconds since 1970.
    func token(at now: Int64) throws(TokenRefusal) -> VerifiedToken {
        let expires = try self.checkTimes(at: now)
        try self.checkUse()
        try self.checkScopes()
        return VerifiedToken(
            login: try self.login(),
            issuer: self.issuer.issuer,
            expires: expires,
            subject: try self.subject()
        )
    }

    /// - Returns: the expiry in whole seconds.
    private func checkTimes(at now: Int64) throws(TokenRefusal) -> Int64 {
        let now = Double(now)
        guard let expires = try self.time("exp") else { throw .time }
        guard now < expires + Self.tolerance else { throw .expired }
        for name: ExactText in ["nbf", "iat"] {
            guard let time = try self.time(name) else { continue }
            guard time <= now + Self.tolerance else { throw .notYetValid }
        }
        return Int64(expires)
    }

    /// A `NumericDate` (RFC 7519 §2), which may have a fraction.
    private func time(_ name: ExactText) throws(TokenRefusal) -> Double? {
        switch self.claims[name] {
        case nil: return nil
        case .number(let time) where Self.times.contains(time): return time
        case .null, .bool, .number, .string, .array, .object: throw .time
        }
    }

    /// Whether the token is an access token for the gateway that any bearer may use.
    private func checkUse() throws(TokenRefusal) {
        let audiences: [ExactText]
        switch self.claims["aud"] {
        case .string(let audience): audiences = [audience]
        case let value?: audiences = value.strings ?? []
        case nil: audiences = []
        }
        guard self.issuer.audiences.contains(where: { audiences.contains(ExactText($0)) }) else {
            throw .audience
        }
        // A confirmation demands a proof that a login with a bearer token does not contain
        // (RFC 7800 §3, RFC 9449 §7.1).
        guard self.claims["cnf"] == nil else { throw .boundToKey }
        // OpenID Connect Core 1.0 §3.3.2.11: only ID tokens have these hashes. Keycloak marks its
        // tokens with a claim `typ`.
        guard self.claims["at_hash"] == nil, self.claims["c_hash"] == nil,
            self.claims["typ"] != .string("ID")
        else { throw .notAccessToken }
    }

    private func checkScopes() throws(TokenRefusal) {
        guard !self.issuer.requiredScopes.isEmpty else { return }
        var scopes: Set<ExactText> = []
        for name: ExactText in ["scope", "scp"] {
            guard let list = self.claims[name]?.string else { continue }
            scopes.formUnion(list.text.split(separator: " ").map { ExactText(String($0)) })
        }
        scopes.formUnion(self.claims["scp"]?.strings ?? [])
        guard self.issuer.requiredScopes.allSatisfy({ scopes.contains(ExactText($0)) }) else {
            throw .scope
        }
    }

    private func login() throws(TokenRefusal) -> String {
        guard let login = self.claims[ExactText(self.issuer.loginClaim)]?.string?.text,
            Self.isName(login)
        else { throw .login }
        guard self.issuer.loginClaim == "email" else { return login }
        switch self.claims["email_verified"] {
        case .bool(true): return login
        case nil where self.issuer.trustsUnverifiedEmail: return login
        case nil, .null, .bool, .number, .string, .array, .object: throw .unverifiedEmail
        }
    }

    private func subject() throws(TokenRefusal) -> String? {
        guard let value = self.claims["sub"] else { return nil }
        guard let subject = value.string?.text, Self.isName(subject) else { throw .subject }
        return self.issuer.issuer + " " + subject
    }

    /// Whether a text names a user: not empty, not too long, and without characters that would
    /// change lines of a log, or the order of its characters on a screen.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= Self.maximumNameOctets
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
    }
}
