import COpenSSL

extension VerificationKey {
    /// Whether the algorithm works with keys of this kind and curve.
    package func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        algorithm.keyKind == self.kind
    }

    /// Whether the octets have this signature.
    ///
    /// The signature has the form of JWS: RSA as an integer of the modulus' length (RFC 7518 §3.3,
    /// §3.5), ECDSA as `r || s` (§3.4), Ed25519 as 64 octets (RFC 8037 §3.1).
    /// - Returns: false also for a key that does not fit the algorithm.
    /// - Throws: `unavailable` if libcrypto lacks memory or the algorithm.
    package func isValid(
        _ signature: [UInt8],
        of octets: [UInt8],
        algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> Bool {
        guard self.fits(algorithm), let encoded = self.encoded(signature) else { return false }
        let key = try PublicKey(der: self.der)
        guard let context = EVP_MD_CTX_new() else { throw .unavailable }
        defer {
            EVP_MD_CTX_free(context)
            CryptographyError.clearQueue()
        }
        var parameters: OpaquePointer?
        let digest = algorithm.digest
        guard EVP_DigestVerifyInit(context, &parameters, digest, nil, key.pointer) == 1 else {
            throw .unavailable
        }
        if algorithm.isPSS {
            // RFC 7518 §3.5: MGF1 with the same digest, which is the default, and a salt as long as
            // the digest.
            guard EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
            else { throw .unavailable }
        }
        return EVP_DigestVerify(context, encoded, encoded.count, octets, octets.count) == 1
    }

    /// The signature as libcrypto reads it: ECDSA in DER (RFC 3279 §2.2.3).
    /// - Returns: nil for a wrong length.
    private func encoded(_ signature: [UInt8]) -> [UInt8]? {
        switch self.kind {
        case .rsa:
            return signature.isEmpty ? nil : signature
        case .ed25519:
            return signature.count == 64 ? signature : nil
        case .ellipticCurve(let curve):
            guard signature.count == 2 * curve.octetCount else { return nil }
            return DERWriter.sequence(
                DERWriter.integer(signature.prefix(curve.octetCount)),
                DERWriter.integer(signature.suffix(curve.octetCount))
            )
        }
    }
}

extension SignatureAlgorithm {
    /// The digest; nil for Ed25519, which has its own.
    fileprivate var digest: OpaquePointer? {
        switch self {
        case .rs256, .ps256, .es256: EVP_sha256()
        case .rs384, .ps384, .es384: EVP_sha384()
        case .rs512, .ps512, .es512: EVP_sha512()
        case .edDSA: nil
        }
    }
}
