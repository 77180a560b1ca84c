import COpenSSL

/// Authenticated encryption with AES-256-GCM (NIST SP 800-38D).
///
/// A sealed text is the nonce (12 octets), the ciphertext and the tag (16 octets).
package enum AESGCM {
    private static let nonceOctets = 12
    private static let tagOctets = 16

    /// Encrypts octets with a random nonce.
    /// - Parameter purpose: additional authenticated data: only ``open(_:key:purpose:)`` with the
    ///   same purpose succeeds.
    /// - Throws: `unusable` for more octets than libcrypto takes (2 GiB), or `unavailable`.
    package static func seal(
        _ octets: [UInt8],
        key: SymmetricKey,
        purpose: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        guard let count = CInt(exactly: octets.count) else {
            throw .unusable("a text of more than 2 GiB cannot be sealed")
        }
        let nonce = Random.octets(count: Self.nonceOctets)
        guard let context = EVP_CIPHER_CTX_new() else { throw .unavailable }
        defer { EVP_CIPHER_CTX_free(context) }
        var encrypted = [UInt8](repeating: 0, count: octets.count)
        var tag = [UInt8](repeating: 0, count: Self.tagOctets)
        var length: CInt = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key.octets, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, purpose, CInt(purpose.count)) == 1,
            EVP_EncryptUpdate(context, &encrypted, &length, octets, count) == 1,
            EVP_EncryptFinal_ex(context, nil, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, CInt(tag.count), &tag) == 1
        else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        return nonce + encrypted + tag
    }

    /// Decrypts a sealed text.
    /// - Throws: `notAuthentic` unless it was sealed with this key for this purpose, and not
    ///   changed; `unavailable` if libcrypto lacks memory or AES-256-GCM.
    package static func open(
        _ sealed: [UInt8],
        key: SymmetricKey,
        purpose: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        let encryptedCount = sealed.count - Self.nonceOctets - Self.tagOctets
        guard (0...Int(CInt.max)).contains(encryptedCount) else { throw .notAuthentic }
        let nonce = Array(sealed.prefix(Self.nonceOctets))
        let encrypted = Array(sealed.dropFirst(Self.nonceOctets).prefix(encryptedCount))
        var tag = Array(sealed.suffix(Self.tagOctets))
        guard let context = EVP_CIPHER_CTX_new() else { throw .unavailable }
        defer { EVP_CIPHER_CTX_free(context) }
        var octets = [UInt8](repeating: 0, count: encryptedCount)
        var length: CInt = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key.octets, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, purpose, CInt(purpose.count)) == 1,
            EVP_DecryptUpdate(context, &octets, &length, encrypted, CInt(encryptedCount)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, CInt(tag.count), &tag) == 1
        else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        // Only this call compares the tag.
        guard EVP_DecryptFinal_ex(context, nil, &length) == 1 else {
            CryptographyError.clearQueue()
            throw .notAuthentic
        }
        return octets
    }
}
