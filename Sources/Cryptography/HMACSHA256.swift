import COpenSSL

/// Message authentication codes with HMAC-SHA-256 (RFC 2104).
package enum HMACSHA256 {
    /// Computes the code of the octets: ``SHA256/octetCount`` octets.
    package static func code(for octets: some Sequence<UInt8>, key: SymmetricKey) -> [UInt8] {
        self.code(for: Array(octets), keyOctets: key.octets)
    }

    private static func code(for octets: [UInt8], keyOctets: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.octetCount) { buffer, count in
            let result = HMAC(
                EVP_sha256(),
                keyOctets,
                CInt(keyOctets.count),
                octets,
                octets.count,
                buffer.baseAddress,
                nil
            )
            precondition(result != nil, "libcrypto has no memory for HMAC")
            count = SHA256.octetCount
        }
    }

    /// Whether `code` is the code of the octets, compared in constant time.
    package static func isValid(
        _ code: some Sequence<UInt8>,
        for octets: some Sequence<UInt8>,
        key: SymmetricKey
    ) -> Bool {
        isEqual(Array(code), to: self.code(for: octets, key: key))
    }

    /// Derives a key for one purpose from another key (HKDF without salt, RFC 5869 §2).
    package static func derivedKey(from key: SymmetricKey, purpose: String) -> SymmetricKey {
        let salt = [UInt8](repeating: 0, count: SHA256.octetCount)
        let extracted = self.code(for: key.octets, keyOctets: salt)
        let expanded = self.code(for: Array(purpose.utf8) + [1], keyOctets: extracted)
        guard let derived = SymmetricKey(octets: expanded) else {
            preconditionFailure("a code has as many octets as a key")
        }
        return derived
    }
}

/// Whether two sequences of octets are equal, in a time that depends on their lengths only.
package func isEqual(_ one: [UInt8], to other: [UInt8]) -> Bool {
    one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
}
