import Cryptography
import Testing

@testable import OAuth

struct KeySetTests {
    private func set(_ keys: String...) throws -> KeySet? {
        let text = #"{"keys":[\#(keys.joined(separator: ","))]}"#
        return KeySet(try JSONParser.object(in: Array(text.utf8)))
    }

    /// Whether the key is usable with these members.
    private func isUsable(_ key: SigningKey, _ members: [String: String]) throws -> Bool {
        try self.set(key.jwk(members))?.keys.count == 1
    }

    @Test(
        arguments: [
            ([:], true), (["use": "sig"], true), (["alg": "ES256"], true), (["kid": ""], true),
            (["use": "enc"], false), (["use": "SIG"], false), (["use": ""], false),
            (["alg": "ES384"], false), (["alg": "RS256"], false), (["alg": "ECDH-ES"], false),
            (["alg": "none"], false), (["alg": ""], false), (["key_ops": "verify"], false),
            (["kty": "RSA"], false), (["kty": "oct"], false), (["kty": "ec"], false),
            (["crv": "P-384"], false), (["crv": "secp256k1"], false), (["crv": "p-256"], false),
            (["x": ""], false), (["y": "AAAA"], false), (["x": "!"], false), (["d": "AAAA"], false),
            (["x5c": "AAAA", "x5t": "A", "other": "1"], true),
        ] as [([String: String], Bool)]
    )
    func `a key is usable for verification only`(
        members: [String: String],
        isUsable: Bool
    ) throws {
        #expect(try self.isUsable(SigningKey.p256.get(), members) == isUsable)
    }

    @Test(arguments: [
        (#"["verify"]"#, true), (#"["sign","verify"]"#, true), (#"["sign"]"#, false), ("[]", false),
        (#"["encrypt"]"#, false), (#"["verify",1]"#, false), ("null", false),
    ])
    func `key operations must include verification`(value: String, isUsable: Bool) throws {
        let key = try SigningKey.ed25519.get().jwk().dropLast() + #","key_ops":\#(value)}"#
        #expect(try self.set(String(key))?.keys.count == (isUsable ? 1 : 0))
    }

    @Test func `an unusable key does not make the set unusable`() throws {
        let good = try SigningKey.rsa.get().jwk(["kid": "good"])
        let weak = try SigningKey(rsaBits: 1_024).jwk(["kid": "weak"])
        let odd = [
            "1", "null", "{}", "[]", #"{"kty":"oct","k":"AAAA"}"#, #"{"kty":"EC"}"#, weak,
            #"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#, #"{"kty":"OKP","crv":"X25519","x":"AA"}"#,
            try SigningKey(rsaBits: 2_048, exponent: 3).jwk(),
            try SigningKey.rsa.get().jwk(["n": "AQ"]),
            try SigningKey.rsa.get().jwk(["n": "A" + String(repeating: "A", count: 9_999)]),
        ]
        let text = #"{"keys":[\#((odd + [good]).joined(separator: ","))]}"#
        let set = try #require(KeySet(JSONParser.object(in: Array(text.utf8))))
        #expect(set.keys.map(\.keyID) == ["good"])
        #expect(set.contains("good"))
        #expect(!set.contains("weak"))
    }

    @Test func `a set has at most 100 keys, and may have none`() throws {
        func set(_ count: Int) throws -> KeySet? {
            let keys = Array(repeating: #"{"kty":"oct"}"#, count: count).joined(separator: ",")
            return KeySet(try JSONParser.object(in: Array(#"{"keys":[\#(keys)]}"#.utf8)))
        }
        #expect(try set(0)?.keys == [])
        #expect(try set(100)?.keys == [])
        #expect(try set(101) == nil)
        for text in ["{}", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"Keys":[]}"#] {
            #expect(KeySet(try JSONParser.object(in: Array(text.utf8))) == nil)
        }
    }

    @Test func `a key with an algorithm is for no other`() throws {
        let key = try SigningKey.rsa.get()
        let set = try #require(
            try self.set(key.jwk(["kid": "a", "alg": "PS256"]), key.jwk(["kid": "b"]))
        )
        func count(_ header: String) throws -> Int {
            let header = try JWSHeader(JSONParser.object(in: Array(header.utf8)))
            return set.candidates(for: header).count
        }
        #expect(try count(#"{"alg":"PS256","kid":"a"}"#) == 1)
        #expect(try count(#"{"alg":"RS256","kid":"a"}"#) == 0)
        #expect(try count(#"{"alg":"RS256","kid":"b"}"#) == 1)
        #expect(try count(#"{"alg":"PS256"}"#) == 2)
        #expect(try count(#"{"alg":"RS256"}"#) == 1)
        #expect(try count(#"{"alg":"ES256"}"#) == 0)
    }
}
