import Cryptography
import Foundation
import Testing

@testable import OAuth

/// Tokens of attackers. The issuer has a P-256, an RSA and an Ed25519 key.
struct TokenAttackTests {
    private let issuers: TestIssuers
    private let verifier: TokenVerifier
    private let p256: SigningKey
    private let rsa: SigningKey
    private let ed25519: SigningKey

    init() throws {
        self.p256 = try SigningKey.p256.get()
        self.rsa = try SigningKey.rsa.get()
        self.ed25519 = try SigningKey.ed25519.get()
        self.issuers = TestIssuers(
            keys: try self.p256.jwk(["kid": "one"]),
            try self.rsa.jwk(["kid": "rsa"]),
            try self.ed25519.jwk(["kid": "ed"])
        )
        self.verifier = try self.issuers.verifier(.test)
    }

    private func expect(
        _ refusal: TokenRefusal,
        _ token: String,
        location: SourceLocation = #_sourceLocation
    ) async {
        let verdict = await self.verifier.verify(Array(token.utf8))
        #expect(verdict == .refused(refusal), sourceLocation: location)
    }

    @Test func `a token without a signature is refused, however none is spelled`() async throws {
        let valid = String(decoding: try TestToken.sign(self.p256), as: UTF8.self)
        let signature = valid.split(separator: ".")[2]
        for name in ["none", "None", "NONE", "nOnE", "none ", "\\u006eone", "", "NULL"] {
            let text = TestToken.signedText(header: #"{"alg":"\#(name)","kid":"one"}"#)
            await self.expect(.algorithm, text + ".")
            await self.expect(.algorithm, text + "." + signature)
            await self.expect(.malformed, text)
        }
        await self.expect(.signature, TestToken.signedText(header: TestToken.header) + ".")
    }

    @Test func `a public key is no shared secret`() async throws {
        for key in [self.p256, self.rsa, self.ed25519] {
            let pem = try key.publicPEM()
            let members = try key.members()
            let base64 = pem.split(separator: "\n").dropFirst().dropLast().joined()
            let secrets: [[UInt8]] = [
                Array(pem.utf8), Array(pem.dropLast().utf8),
                Array(Data(base64Encoded: base64) ?? Data()),
                Array((members["n"] ?? members["x"] ?? "").utf8),
                Base64URL.decode(Array((members["n"] ?? members["x"] ?? "").utf8)) ?? [],
                Array(try key.jwk().utf8), [], [0],
            ]
            for secret in secrets {
                for (name, digest) in [
                    ("HS256", "SHA256"), ("HS384", "SHA384"), ("HS512", "SHA512"),
                ] {
                    for keyID in ["one", "rsa", "ed"] {
                        let token = TestToken.authenticate(
                            with: secret,
                            digest: digest,
                            header: #"{"alg":"\#(name)","kid":"\#(keyID)"}"#
                        )
                        #expect(await self.verifier.verify(token) == .refused(.algorithm))
                    }
                }
                // The same code under the name of an algorithm that the issuer has.
                let token = TestToken.authenticate(with: secret, header: TestToken.header)
                #expect(await self.verifier.verify(token) == .refused(.signature))
            }
        }
    }

    @Test(arguments: [
        "https://evil.example/key", "../../../../etc/passwd", "/dev/null", "one\0", " one",
        "x' UNION SELECT 'key'; --", "file:///dev/null", "one|id",
        String(repeating: "k", count: 10_000),
        "\u{202E}eno", "*", "%6fne",
    ])
    func `a kid only selects among the issuer's keys`(keyID: String) async throws {
        let escaped = String(
            decoding: try JSONEncoder().encode(["alg": "ES256", "kid": keyID]),
            as: UTF8.self
        )
        for key in [self.p256, try SigningKey.otherP256.get()] {
            let token = try TestToken.sign(key, header: escaped)
            #expect(await self.verifier.verify(token) == .refused(.unknownKey))
        }
        #expect(
            self.issuers.count() == 2,
            "discovery and keys; a set that was just fetched is not fetched again"
        )
    }

    @Test func `a header brings no key`() async throws {
        let attacker = try SigningKey.otherP256.get()
        let jwk = try attacker.jwk(["kid": "one"])
        let members = [
            #""jwk":\#(jwk)"#, #""jku":"https://evil.example/keys""#,
            #""x5u":"https://evil.example/chain""#, #""x5c":["AAAA"],"x5t":"AAAA""#,
            #""jku":"\#(TestIssuers.keysURL)""#,
        ]
        for member in members {
            for keyID in [#""kid":"one","#, ""] {
                let header = #"{"alg":"ES256",\#(keyID)\#(member)}"#
                let token = try TestToken.sign(attacker, header: header)
                #expect(await self.verifier.verify(token) == .refused(.signature))
                let genuine = try TestToken.sign(self.p256, header: header)
                #expect(await self.verifier.verify(genuine) == anna)
            }
        }
        #expect(self.issuers.count() == 2)
    }

    @Test func `a key of one issuer signs no token of another`() async throws {
        let otherName = "https://sso.andere.example"
        let otherKey = try SigningKey.otherP256.get()
        self.issuers.set(otherName + "/keys", #"{"keys":[\#(try otherKey.jwk(["kid": "one"]))]}"#)
        var other = TokenIssuer.test
        other.issuer = otherName
        other.verification = .signature(.jwks(url: otherName + "/keys"))
        let verifier = try self.issuers.verifier(.test, other)

        let claims = TestToken.claims(["iss": #""\#(otherName)""#])
        #expect(await verifier.verify(try TestToken.sign(otherKey, claims: claims)).isVerified)
        #expect(await verifier.verify(try TestToken.sign(self.p256)) == anna)
        let crossed = [
            try TestToken.sign(otherKey), try TestToken.sign(self.p256, claims: claims),
        ]
        for token in crossed { #expect(await verifier.verify(token) == .refused(.signature)) }
    }

    @Test func `an algorithm that does not fit the named key is refused`() async throws {
        for algorithm in SignatureAlgorithm.allCases {
            for (keyID, own) in [("one", "ES256"), ("ed", "EdDSA")] where algorithm.rawValue != own
            {
                let header = #"{"alg":"\#(algorithm.rawValue)","kid":"\#(keyID)"}"#
                let token = try TestToken.sign(self.p256, header: header)
                #expect(await self.verifier.verify(token) == .refused(.unfitKey))
            }
        }
        // The name of an RSA algorithm over the signature of another one of the same key.
        let token = try TestToken.sign(
            self.rsa,
            header: #"{"alg":"PS256","kid":"rsa"}"#,
            algorithm: .rs256
        )
        #expect(await self.verifier.verify(token) == .refused(.signature))
    }

    @Test func `an ECDSA signature is r and s in full length, and neither is zero`() async throws {
        let text = TestToken.signedText(header: TestToken.header)
        let good = try self.p256.signature(of: Array(text.utf8), algorithm: .es256)
        let zero = [UInt8](repeating: 0, count: 32)
        let order: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
            0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        let (r, s) = (Array(good.prefix(32)), Array(good.suffix(32)))
        let signatures = [
            zero + zero, zero + s, r + zero, order + order, order + s, r + order, r, s, [],
            [0] + good, good + [0], s + r, r + [0] + s, Array(good.dropLast()), good + good,
            try self.p256.rawSignature(of: Array(text.utf8), algorithm: .es256),
        ]
        for signature in signatures {
            await self.expect(.signature, text + "." + signature.base64URL)
        }
        #expect(await self.verifier.verify(Array((text + "." + good.base64URL).utf8)) == anna)
    }

    @Test func `a signature is for its own header and payload`() async throws {
        let one = String(decoding: try TestToken.sign(self.p256), as: UTF8.self)
        let claims = TestToken.claims(["preferred_username": #""bob@kanzlei.example""#])
        let other = String(decoding: try TestToken.sign(self.p256, claims: claims), as: UTF8.self)
        let (first, second) = (one.split(separator: "."), other.split(separator: "."))
        await self.expect(.signature, "\(first[0]).\(second[1]).\(first[2])")
        await self.expect(.signature, "\(first[0]).\(first[1]).\(second[2])")
        await self.expect(.malformed, "\(first[0]).\(first[1]).\(first[1])x")
        await self.expect(.malformed, "\(first[1]).\(first[0])")
    }

    @Test func `a token with one flipped bit is refused`() async throws {
        let token = try TestToken.sign(self.p256)
        for index in token.indices {
            for bit in 0..<8 {
                var changed = token
                changed[index] ^= 1 << UInt8(bit)
                let verdict = await self.verifier.verify(changed)
                #expect(!verdict.isVerified && !verdict.isUnavailable, "octet \(index), bit \(bit)")
            }
        }
    }

    @Test func `a token with a missing or additional octet is refused`() async throws {
        let token = try TestToken.sign(self.p256)
        for index in token.indices {
            let prefix = Array(token.prefix(index))
            #expect(await !self.verifier.verify(prefix).isVerified)
            var shorter = token
            shorter.remove(at: index)
            #expect(await !self.verifier.verify(shorter).isVerified)
            for octet in [UInt8(ascii: "="), 0x20, 0x0A, 0x00, UInt8(ascii: "."), 0xFF] {
                var longer = token
                longer.insert(octet, at: index)
                #expect(await self.verifier.verify(longer) == .refused(.malformed))
            }
        }
        let text = String(decoding: token, as: UTF8.self)
        for other in [text + "=", text + "==", text + " ", text + "\n", " " + text, text + "."] {
            await self.expect(.malformed, other)
        }
        await self.expect(.malformed, text + ".AAAA.AAAA")
        await self.expect(.malformed, "..")
        await self.expect(.malformed, "....")
        await self.expect(.malformed, String(repeating: ".", count: 16_384))
    }
}
