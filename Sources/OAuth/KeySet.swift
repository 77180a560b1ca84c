import Cryptography

/// The keys of an issuer that verify signatures (JWK set, RFC 7517 §5).
struct KeySet: Equatable, Sendable {
    /// A public key with what the issuer says about it.
    struct Key: Equatable, Sendable {
        /// The name (`kid`).
        var keyID: ExactText?
        /// The only algorithm that the key is for (`alg`); nil if the issuer leaves that open.
        var algorithm: SignatureAlgorithm?
        var key: VerificationKey
    }

    /// The most keys of a set, usable or not.
    private static let maximumCount = 100
    /// The most keys that are tried for one token, as each trial costs a verification.
    private static let maximumTrials = 10

    let keys: [Key]

    /// Reads a set. A key that the gateway cannot use is left out (RFC 7517 §5). A set without
    /// usable keys is a set: the issuer has withdrawn its keys.
    /// - Returns: nil if there is no array `keys`, or it has more than 100 elements.
    init?(_ document: JSONObject) {
        guard case .array(let elements) = document["keys"], elements.count <= Self.maximumCount
        else {
            return nil
        }
        self.keys = elements.compactMap { element in
            guard case .object(let key) = element else { return nil }
            return Self.key(key)
        }
    }

    /// Whether the set has a key of this name.
    func contains(_ keyID: ExactText) -> Bool {
        self.keys.contains { $0.keyID == keyID }
    }

    /// The keys to try for a token: those with its `kid`, or all if it has none, which fit the
    /// algorithm.
    func candidates(for header: JWSHeader) -> [VerificationKey] {
        self.keys.lazy
            .filter { header.keyID == nil || $0.keyID == header.keyID }
            .filter { $0.algorithm == nil || $0.algorithm == header.algorithm }
            .map(\.key)
            .filter { $0.fits(header.algorithm) }
            .prefix(Self.maximumTrials)
            .map(\.self)
    }

    // MARK: - Keys

    /// Reads a key.
    /// - Returns: nil for a key of another use, kind or strength.
    private static func key(_ jwk: JSONObject) -> Key? {
        // Everybody can sign with a private key that is published (`d`, RFC 7518 §6.2.2, §6.3.2).
        guard jwk["d"] == nil, self.isForVerification(jwk) else { return nil }
        var algorithm: SignatureAlgorithm?
        if let value = jwk["alg"] {
            guard let known = value.string.flatMap({ SignatureAlgorithm(rawValue: $0.text) }) else {
                return nil
            }
            algorithm = known
        }
        let keyID: ExactText?
        switch jwk["kid"] {
        case nil: keyID = nil
        case .string(let name): keyID = name
        case .null, .bool, .number, .array, .object: return nil
        }
        guard let key = self.verificationKey(jwk), algorithm.map({ key.fits($0) }) ?? true else {
            return nil
        }
        return Key(keyID: keyID, algorithm: algorithm, key: key)
    }

    /// Whether `use` and `key_ops` are absent or allow verification (RFC 7517 §4.2, §4.3).
    private static func isForVerification(_ jwk: JSONObject) -> Bool {
        if let use = jwk["use"], use != .string("sig") { return false }
        if let operations = jwk["key_ops"] {
            return operations.strings?.contains("verify") ?? false
        }
        return true
    }

    /// The public key itself (RFC 7518 §6, RFC 8037 §2).
    private static func verificationKey(_ jwk: JSONObject) -> VerificationKey? {
        do throws(CryptographyError) {
            switch jwk["kty"] {
            case .string("RSA"):
                guard let modulus = self.octets(jwk["n"]), let exponent = self.octets(jwk["e"])
                else { return nil }
                return try VerificationKey(rsaModulus: modulus, exponent: exponent)
            case .string("EC"):
                guard let curve = self.curve(jwk["crv"]), let x = self.octets(jwk["x"]),
                    let y = self.octets(jwk["y"])
                else { return nil }
                return try VerificationKey(curve: curve, x: x, y: y)
            case .string("OKP") where jwk["crv"] == .string("Ed25519"):
                guard let octets = self.octets(jwk["x"]) else { return nil }
                return try VerificationKey(ed25519: octets)
            default:
                return nil
            }
        } catch {
            return nil
        }
    }

    private static func curve(_ value: JSONValue?) -> VerificationKey.Curve? {
        VerificationKey.Curve.allCases.first { value == .string(ExactText($0.rawValue)) }
    }

    private static func octets(_ value: JSONValue?) -> [UInt8]? {
        (value?.string).flatMap { Base64URL.decode($0.text.utf8) }
    }
}
