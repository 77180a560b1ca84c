import COpenSSL
import Foundation

@testable import Cryptography

/// A private key of a test, made by libcrypto in the test.
struct SigningKey: Sendable {
    /// A failure of libcrypto.
    struct Failure: Error {}

    let kind: VerificationKey.Kind
    /// The private key in DER; each signature parses it.
    private let der: [UInt8]

    /// Keys that all tests share: making one takes time.
    static let rsa = Result { try SigningKey(rsaBits: 2_048) }
    static let otherRSA = Result { try SigningKey(rsaBits: 2_048) }
    static let p256 = Result { try SigningKey(curve: .p256) }
    static let otherP256 = Result { try SigningKey(curve: .p256) }
    static let ed25519 = Result { try SigningKey() }

    init(rsaBits: CInt, exponent: UInt = 65_537) throws {
        let number = BN_new()
        defer { BN_free(number) }
        BN_set_word(number, exponent)
        try self.init(kind: .rsa, identifier: EVP_PKEY_RSA) { context in
            EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits) == 1
                && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number) == 1
        }
    }

    init(curve: VerificationKey.Curve) throws {
        guard let key = gp_EVP_EC_gen(curve.rawValue) else { throw Failure() }
        defer { EVP_PKEY_free(key) }
        self.kind = .ellipticCurve(curve)
        self.der = try Self.der(of: key)
    }

    /// An Ed25519 key.
    init() throws {
        try self.init(kind: .ed25519, identifier: EVP_PKEY_ED25519) { _ in true }
    }

    private init(
        kind: VerificationKey.Kind,
        identifier: CInt,
        configure: (OpaquePointer) -> Bool
    ) throws {
        guard let context = EVP_PKEY_CTX_new_id(identifier, nil) else { throw Failure() }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, configure(context),
            EVP_PKEY_keygen(context, &key) == 1, let key
        else { throw Failure() }
        defer { EVP_PKEY_free(key) }
        self.kind = kind
        self.der = try Self.der(of: key)
    }

    private static func der(of key: OpaquePointer) throws -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: Int(max(i2d_PrivateKey(key, nil), 0)))
        let count = octets.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            return i2d_PrivateKey(key, &next)
        }
        guard count > 0 else { throw Failure() }
        return octets
    }

    private func withKey<Value>(_ body: (OpaquePointer) throws -> Value) throws -> Value {
        let key = self.der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_AutoPrivateKey(nil, &next, buffer.count)
        }
        guard let key else { throw Failure() }
        defer { EVP_PKEY_free(key) }
        return try body(key)
    }

    // MARK: - The public part

    /// A number of the public key, such as `n`, in big-endian octets.
    private func number(_ name: String, octetCount: Int? = nil) throws -> [UInt8] {
        try self.withKey { key in
            var number: OpaquePointer?
            guard EVP_PKEY_get_bn_param(key, name, &number) == 1 else { throw Failure() }
            defer { BN_free(number) }
            let count = octetCount ?? Int(BN_num_bits(number) + 7) / 8
            var octets = [UInt8](repeating: 0, count: count)
            guard BN_bn2binpad(number, &octets, CInt(count)) >= 0 else { throw Failure() }
            return octets
        }
    }

    /// The members of the public JWK for the key itself.
    func members() throws -> [String: String] {
        switch self.kind {
        case .rsa:
            let (modulus, exponent) = (try self.number("n"), try self.number("e"))
            return ["kty": "RSA", "n": modulus.base64URL, "e": exponent.base64URL]
        case .ellipticCurve(let curve):
            return [
                "kty": "EC", "crv": curve.rawValue,
                "x": try self.number("qx", octetCount: curve.octetCount).base64URL,
                "y": try self.number("qy", octetCount: curve.octetCount).base64URL,
            ]
        case .ed25519:
            let octets = try self.withKey { key in
                var octets = [UInt8](repeating: 0, count: 32)
                var count = octets.count
                guard EVP_PKEY_get_raw_public_key(key, &octets, &count) == 1 else {
                    throw Failure()
                }
                return octets
            }
            return ["kty": "OKP", "crv": "Ed25519", "x": octets.base64URL]
        }
    }

    /// The public JWK.
    /// - Parameter others: further members, or others in place of the key's own.
    func jwk(_ others: [String: String] = [:]) throws -> String {
        let members = try self.members().merging(others) { $1 }
        return "{" + members.map { #""\#($0)":"\#($1)""# }.sorted().joined(separator: ",") + "}"
    }

    /// The public key in PEM.
    func publicPEM() throws -> String {
        try self.withKey { key in
            let text = try MemoryBIO()
            guard PEM_write_bio_PUBKEY(text.pointer, key) == 1 else { throw Failure() }
            return text.text
        }
    }

    // MARK: - Signatures

    /// The signature in the form of JWS.
    func signature(of octets: [UInt8], algorithm: SignatureAlgorithm) throws -> [UInt8] {
        let signature = try self.rawSignature(of: octets, algorithm: algorithm)
        guard case .ellipticCurve(let curve) = self.kind else { return signature }
        return try Self.halves(signature, octetCount: curve.octetCount)
    }

    /// The signature in the form of libcrypto: ECDSA in DER.
    func rawSignature(of octets: [UInt8], algorithm: SignatureAlgorithm) throws -> [UInt8] {
        try self.withKey { key in
            let context = EVP_MD_CTX_new()
            defer { EVP_MD_CTX_free(context) }
            var parameters: OpaquePointer?
            let digest = Self.digest(algorithm)
            guard EVP_DigestSignInit(context, &parameters, digest, nil, key) == 1 else {
                throw Failure()
            }
            if algorithm.isPSS {
                EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING)
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST)
            }
            var signature = [UInt8](repeating: 0, count: 2_048)
            var count = signature.count
            guard EVP_DigestSign(context, &signature, &count, octets, octets.count) == 1 else {
                throw Failure()
            }
            return Array(signature.prefix(count))
        }
    }

    private static func digest(_ algorithm: SignatureAlgorithm) -> OpaquePointer? {
        if algorithm == .edDSA { return nil }
        return EVP_get_digestbyname("SHA" + algorithm.rawValue.suffix(3))
    }

    /// `r || s` of a signature in DER.
    private static func halves(_ der: [UInt8], octetCount: Int) throws -> [UInt8] {
        let signature = der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &next, buffer.count)
        }
        guard let signature else { throw Failure() }
        defer { ECDSA_SIG_free(signature) }
        return [ECDSA_SIG_get0_r(signature), ECDSA_SIG_get0_s(signature)].flatMap { number in
            var octets = [UInt8](repeating: 0, count: octetCount)
            BN_bn2binpad(number, &octets, CInt(octetCount))
            return octets
        }
    }
}

extension Array where Element == UInt8 {
    /// Base64url without padding.
    var base64URL: String {
        Data(self).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }
}
