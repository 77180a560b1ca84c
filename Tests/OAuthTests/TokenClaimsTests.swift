import Testing

@testable import OAuth

struct TokenClaimsTests {
    private func result(
        _ changes: [String: String],
        issuer: TokenIssuer = .test
    ) throws -> Result<VerifiedToken, TokenRefusal> {
        let claims = try JSONParser.object(in: Array(TestToken.claims(changes).utf8))
        return Result { () throws(TokenRefusal) in
            try TokenClaims(claims: claims, issuer: issuer).token(at: TestIssuers.start)
        }
    }

    private func refusal(
        _ changes: [String: String],
        issuer: TokenIssuer = .test
    ) throws -> TokenRefusal? {
        guard case .failure(let refusal) = try self.result(changes, issuer: issuer) else {
            return nil
        }
        return refusal
    }

    /// Times relative to now.
    @Test(
        arguments: [
            ("exp", 1, nil), ("exp", 0, nil), ("exp", -59, nil), ("exp", -60, .expired),
            ("exp", -1_000_000, .expired), ("nbf", 0, nil), ("nbf", 60, nil),
            ("nbf", 61, .notYetValid),
            ("nbf", -1_000_000, nil), ("iat", 60, nil), ("iat", 61, .notYetValid),
        ] as [(String, Int64, TokenRefusal?)]
    )
    func `a time is compared with a tolerance of a minute`(
        name: String,
        offset: Int64,
        refusal: TokenRefusal?
    ) throws {
        #expect(try self.refusal([name: "\(TestIssuers.start + offset)"]) == refusal)
    }

    @Test(arguments: [
        #""1900000000""#, "null", "true", "[]", "{}", "-1", "-1e300", "1e17", "1e300",
        "9007199254740993e3", #""""#,
    ])
    func `a time is a number`(value: String) throws {
        for name in ["exp", "nbf", "iat"] {
            #expect(try self.refusal([name: value]) == .time, "\(name)")
        }
    }

    @Test func `an expiry is required and may have a fraction`() throws {
        #expect(try self.refusal(["exp": ""]) == .time)
        #expect(try self.refusal(["iat": "", "nbf": ""]) == nil)
        let token = try self.result(["exp": "1900000000.75"]).get()
        #expect(token.expires == 1_900_000_000)
        #expect(try self.result(["exp": "1.9e9"]).get().expires == 1_900_000_000)
        #expect(try self.refusal(["exp": "\(TestIssuers.start - 60).5"]) == nil)
    }

    @Test(arguments: [
        (#""mail""#, true), (#"["other","mail"]"#, true), (#"["other"]"#, false), ("", false),
        (#""mail ""#, false), (#""MAIL""#, false), ("[]", false), (#"["mail",1]"#, false),
        ("null", false), (#"{"mail":1}"#, false), (#"[["mail"]]"#, false),
        (#""other mail""#, false),
        (#""""#, false), ("\"ma\u{131}l\"", false),
    ])
    func `the audience must be one of the configured`(value: String, isValid: Bool) throws {
        #expect(try self.refusal(["aud": value]) == (isValid ? nil : .audience))
    }

    @Test(arguments: [
        (#"{"scope":"\"imap smtp\""}"#, true), (#"{"scp":"\"smtp imap x\""}"#, true),
        (#"{"scp":"[\"imap\",\"smtp\"]"}"#, true),
        (#"{"scope":"\"imap\"","scp":"\"smtp\""}"#, true),
        (#"{"scope":"\"imap\""}"#, false), (#"{"scope":"\"imaps smtp\""}"#, false),
        (#"{"scope":"\"IMAP smtp\""}"#, false), (#"{"scope":"\"imap,smtp\""}"#, false),
        (#"{"scope":"[\"imap\",\"smtp\"]"}"#, false), (#"{"scp":"[\"imap smtp\"]"}"#, false),
        (#"{"scp":"1"}"#, false), ("{}", false), (#"{"scope":"null"}"#, false),
        (#"{"scope":"\"imap\\tsmtp\""}"#, false),
    ])
    func `every required scope must be granted`(changes: String, isValid: Bool) throws {
        let object = try JSONParser.object(in: Array(changes.utf8))
        var claims: [String: String] = [:]
        for name in ["scope", "scp"] { claims[name] = object[ExactText(name)]?.string?.text }
        var issuer = TokenIssuer.test
        issuer.requiredScopes = ["imap", "smtp"]
        #expect(try self.refusal(claims, issuer: issuer) == (isValid ? nil : .scope))
        #expect(try self.refusal(claims) == nil)
    }

    @Test(arguments: [
        "", "null", "1", "true", #"["anna@kanzlei.example"]"#, #""""#, #""a\u0000""#,
        #""a\r\nb""#, #""a\tb""#, #""a\u007f""#, #""a\u0085""#, #""a\u202eb""#, #""a\u2028b""#,
        #""a\u200bb""#, "\"" + String(repeating: "x", count: 257) + "\"",
        "\"" + String(repeating: "ä", count: 129) + "\"",
    ])
    func `a login is a text that names a user`(value: String) throws {
        #expect(try self.refusal(["preferred_username": value]) == .login)
        if !value.isEmpty { #expect(try self.refusal(["sub": value]) == .subject) }
    }

    @Test func `a login may have 256 octets and any letters, and the subject may be missing`()
        throws
    {
        let longest = String(repeating: "ä", count: 128)
        let token = try self.result(["preferred_username": "\"\(longest)\"", "sub": ""]).get()
        #expect(token.login == longest)
        #expect(token.subject == nil)
    }

    @Test(
        arguments: [
            ("true", nil, nil), ("false", .unverifiedEmail, .unverifiedEmail),
            ("", .unverifiedEmail, nil), (#""true""#, .unverifiedEmail, .unverifiedEmail),
            ("1", .unverifiedEmail, .unverifiedEmail), ("null", .unverifiedEmail, .unverifiedEmail),
        ] as [(String, TokenRefusal?, TokenRefusal?)]
    )
    func `an e-mail address must be verified`(
        value: String,
        refusal: TokenRefusal?,
        trusting: TokenRefusal?
    ) throws {
        var issuer = TokenIssuer.test
        issuer.loginClaim = "email"
        let claims = ["email": #""anna@kanzlei.example""#, "email_verified": value]
        #expect(try self.refusal(claims, issuer: issuer) == refusal)
        issuer.trustsUnverifiedEmail = true
        #expect(try self.refusal(claims, issuer: issuer) == trusting)
        #expect(try self.refusal(claims) == nil, "the login is another claim")
    }

    @Test(
        arguments: [
            ("cnf", #"{"jkt":"x"}"#, .boundToKey), ("cnf", "null", .boundToKey),
            ("at_hash", #""x""#, .notAccessToken), ("c_hash", #""x""#, .notAccessToken),
            ("typ", #""ID""#, .notAccessToken), ("typ", #""Bearer""#, nil), ("nonce", #""x""#, nil),
        ] as [(String, String, TokenRefusal?)]
    )
    func `a token that is no bearer access token is refused`(
        name: String,
        value: String,
        refusal: TokenRefusal?
    ) throws {
        #expect(try self.refusal([name: value]) == refusal)
    }
}
