import COpenSSL

/// An RSA private key for signatures.
package struct RSASigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The key in PEM; each signature parses it, so that no `EVP_PKEY` is shared between threads.
    private let pem: String

    /// - Throws: `unusable` if the text is no RSA key in PEM, or is encrypted.
    package init(pem: String) throws(CryptographyError) {
        let key = try PrivateKey(pem: pem)
        guard EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_RSA else {
            throw .unusable("not an RSA key")
        }
        self.pem = pem
    }

    /// A constant: the key is never printed.
    package var description: String { "RSASigningKey" }
    /// Without children: `dump` prints no part of the key.
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Signs octets with RSASSA-PSS, SHA-256 and a salt of 32 octets (RFC 8017 §8.1; `PS256` of
    /// RFC 7518 §3.5).
    package func signature(of octets: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let key = try PrivateKey(pem: self.pem)
        guard let context = EVP_MD_CTX_new() else { throw .unavailable }
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        var count = 0
        guard EVP_DigestSignInit(context, &parameters, EVP_sha256(), nil, key.pointer) == 1,
            EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1,
            EVP_DigestSign(context, nil, &count, octets, octets.count) == 1
        else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, octets, octets.count) == 1 else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        return Array(signature.prefix(count))
    }
}
