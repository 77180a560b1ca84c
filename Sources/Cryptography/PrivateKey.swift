import COpenSSL

/// An `EVP_PKEY` with one owner. It is not shared between threads.
final class PrivateKey {
    let pointer: OpaquePointer

    /// Creates a key on the curve P-256 (FIPS 186-5).
    static func p256() throws(CryptographyError) -> PrivateKey {
        guard let pointer = gp_EVP_EC_gen("P-256") else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        return PrivateKey(pointer)
    }

    /// Parses a key in PEM.
    /// - Throws: `unusable` if the text is no key, or is encrypted.
    convenience init(pem: String) throws(CryptographyError) {
        let text = try MemoryBIO(pem)
        guard let pointer = PEM_read_bio_PrivateKey(text.pointer, nil, refusePassphrase, nil) else {
            CryptographyError.clearQueue()
            throw .unusable("not a private key in PEM")
        }
        self.init(pointer)
    }

    private init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(self.pointer)
    }

    /// The key as PKCS #8 in PEM, unencrypted (RFC 5958).
    func pem() throws(CryptographyError) -> String {
        let text = try MemoryBIO()
        guard PEM_write_bio_PKCS8PrivateKey(text.pointer, self.pointer, nil, nil, 0, nil, nil) == 1
        else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        return text.text
    }
}

/// Refuses encrypted keys: libcrypto's default would ask for the passphrase at the terminal.
private func refusePassphrase(
    passphrase: UnsafeMutablePointer<CChar>?,
    size: CInt,
    isForWriting: CInt,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    -1
}
