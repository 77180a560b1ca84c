import Cryptography
import Testing

@testable import OAuth

struct TokenVerifierTests {
    @Test(arguments: SignatureAlgorithm.allCases)
    func `a token of each algorithm is verified, if its issuer may use the algorithm`(
        algorithm: SignatureAlgorithm
    ) async throws {
        let key: SigningKey =
            switch algorithm {
            case .es256: try SigningKey.p256.get()
            case .es384: try SigningKey(curve: .p384)
            case .es512: try SigningKey(curve: .p521)
            case .edDSA: try SigningKey.ed25519.get()
            case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: try SigningKey.rsa.get()
            }
        let issuers = TestIssuers(keys: try key.jwk(["kid": "one"]))
        let header = #"{"alg":"\#(algorithm.rawValue)","kid":"one"}"#
        let token = try TestToken.sign(key, header: header, algorithm: algorithm)
        #expect(try await issuers.verifier(.test).verify(token) == anna)

        var narrow = TokenIssuer.test
        narrow.algorithms.remove(algorithm)
        #expect(try await issuers.verifier(narrow).verify(token) == .refused(.algorithm))
    }

    @Test(
        arguments: [
            (#"{"alg":"ES256"}"#, nil), (#"{"alg":"ES256","kid":"one","typ":"JWT"}"#, nil),
            (#"{"typ":"at+jwt","alg":"ES256","kid":"one"}"#, nil),
            (#"{"alg":"ES256","typ":"application/AT+JWT"}"#, nil),
            (#"{"alg":"ES256","typ":"jwt","cty":"x","zip":1}"#, nil),
            (#" { "alg" : "ES\u003256" } "#, nil),
            (#"{"alg":"ES256","typ":"logout+jwt"}"#, .type), (#"{"alg":"ES256","typ":1}"#, .type),
            (#"{"alg":"ES256","typ":null}"#, .type), (#"{"alg":"ES256","typ":""}"#, .type),
            (#"{"alg":"ES256","typ":"dpop+jwt"}"#, .type),
            (#"{"alg":"ES256","crit":[]}"#, .criticalHeader),
            (#"{"alg":"ES256","crit":["b64"],"b64":false}"#, .criticalHeader),
            (#"{"alg":"ES256","kid":1}"#, .malformed), (#"{"alg":"ES256","kid":null}"#, .malformed),
            (#"{}"#, .algorithm), (#"{"alg":null}"#, .algorithm),
            (#"{"alg":["ES256"]}"#, .algorithm),
            (#"{"alg":"es256"}"#, .algorithm), (#"{"alg":"ES256 "}"#, .algorithm),
            (#"{"alg":"ES256K"}"#, .algorithm), (#"{"alg":""}"#, .algorithm),
            (#"{"alg":"RS256"}"#, .unfitKey), (#"{"alg":"ES384","kid":"one"}"#, .unfitKey),
            (#"{"alg":"EdDSA","kid":"one"}"#, .unfitKey),
            (#"{"alg":"ES256","kid":""}"#, .unknownKey),
            (#"{"alg":"ES256","kid":"ONE"}"#, .unknownKey),
            (#"{"alg":"none","alg":"ES256"}"#, .malformed),
            (#"{"alg":"ES256","\u0061lg":"none"}"#, .malformed),
            (#"{"alg":"ES256","kid":"two","kid":"one"}"#, .malformed),
            (#"["alg"]"#, .malformed), ("", .malformed), ("ES256", .malformed),
        ] as [(String, TokenRefusal?)]
    )
    func `a header is read as RFC 7515 and RFC 9068 say`(
        header: String,
        refusal: TokenRefusal?
    ) async throws {
        let key = try SigningKey.p256.get()
        let issuers = TestIssuers(keys: try key.jwk(["kid": "one"]))
        let token = try TestToken.sign(key, header: header)
        let expected = refusal.map { TokenVerdict.refused($0) } ?? anna
        #expect(try await issuers.verifier(.test).verify(token) == expected)
    }

    @Test func `a token without kid is tried with every key that fits, at most ten`() async throws {
        let key = try SigningKey.p256.get()
        let token = try TestToken.sign(key, header: #"{"alg":"ES256"}"#)
        let other = try SigningKey.otherP256.get().jwk()
        let rsa = try SigningKey.rsa.get().jwk()
        for (count, expected) in [(9, anna), (10, .refused(.signature))] {
            let issuers = TestIssuers()
            let keys = Array(repeating: rsa, count: 20) + Array(repeating: other, count: count)
            issuers.setKeys(keys + [try key.jwk()])
            #expect(try await issuers.verifier(.test).verify(token) == expected)
        }
    }

    @Test func `a token of an issuer that is not configured causes no request`() async throws {
        let key = try SigningKey.p256.get()
        let issuers = TestIssuers(keys: try key.jwk(["kid": "one"]))
        let verifier = try issuers.verifier(.test)
        let others = [
            "", "null", "1", "true", #"["https://login.kanzlei.example"]"#,
            #""https://login.kanzlei.example/""#, #""https://LOGIN.kanzlei.example""#,
            #""https://login.kanzlei.example ""#, #""http://login.kanzlei.example""#,
            #""https://evil.example""#, "\"https://login.\u{212A}anzlei.example\"",
        ]
        for other in others {
            let token = try TestToken.sign(key, claims: TestToken.claims(["iss": other]))
            #expect(await verifier.verify(token) == .refused(.unknownIssuer), "\(other)")
        }
        #expect(issuers.count() == 0)
    }

    @Test func `an escaped member name is the member`() async throws {
        let key = try SigningKey.p256.get()
        let issuers = TestIssuers(keys: try key.jwk(["kid": "one"]))
        let escaped = TestToken.claims().replacing(#""iss""#, with: #""\u0069ss""#)
        let token = try TestToken.sign(key, claims: escaped)
        #expect(try await issuers.verifier(.test).verify(token) == anna)
        for name in ["iss", "exp", "aud", "preferred_username", #"\u0069ss"#, #"ex\u0070"#] {
            let claims = #"{"\#(name)":"x","# + TestToken.claims().dropFirst()
            let token = try TestToken.sign(key, claims: claims)
            #expect(try await issuers.verifier(.test).verify(token) == .refused(.malformed))
        }
    }

    @Test func `a token has at most 16 KiB`() async throws {
        let key = try SigningKey.p256.get()
        let issuers = TestIssuers(keys: try key.jwk(["kid": "one"]))
        func token(padding: Int) throws -> [UInt8] {
            let text = "\"" + String(repeating: "x", count: padding) + "\""
            return try TestToken.sign(key, claims: TestToken.claims(["zz": text]))
        }
        let verifier = try issuers.verifier(.test)
        var padding = 11_000
        while try token(padding: padding + 1).count <= 16_384 { padding += 1 }
        #expect(await verifier.verify(try token(padding: padding)) == anna)
        #expect(await verifier.verify(try token(padding: padding + 1)) == .refused(.tooLong))
        #expect(await verifier.verify([]) == .refused(.tooLong))
    }

    @Test func `no description contains a secret or a part of a token`() async throws {
        var text = ""
        dump(TokenIssuer.introspecting, to: &text)
        text += "\(TokenIssuer.introspecting)" + String(reflecting: TokenIssuer.introspecting)
        #expect(!text.contains("s:cret"))
        #expect(text.contains("redacted"))
        #expect(TokenRefusal.allCases.allSatisfy { $0.description.utf8.count < 100 })
    }
}
