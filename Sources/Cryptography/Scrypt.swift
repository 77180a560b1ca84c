import COpenSSL

/// A key derivation from a password with a fixed cost in memory and time (scrypt, RFC 7914).
package struct Scrypt: Equatable, Sendable {
    /// The cost `N`: a power of two.
    package var rounds: UInt64
    /// The block size `r`.
    package var blockSize: UInt64
    /// The parallelism `p`.
    package var parallelism: UInt64

    /// The most memory of one derivation, in octets: a damaged store must not exhaust the memory.
    private static let maximumOctets: UInt64 = 128 * 1_024 * 1_024

    package init(rounds: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// Derives a key.
    /// - Throws: `unusable` for parameters that are invalid or exceed the memory limit.
    package func key(
        from password: [UInt8],
        salt: [UInt8],
        octetCount: Int
    ) throws(CryptographyError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: octetCount)
        let isDerived = password.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.baseAddress?.assumingMemoryBound(to: CChar.self),
                password.count,
                salt,
                salt.count,
                self.rounds,
                self.blockSize,
                self.parallelism,
                Self.maximumOctets,
                &key,
                octetCount
            ) == 1
        }
        guard isDerived else {
            CryptographyError.clearQueue()
            throw .unusable("scrypt does not have these parameters")
        }
        return key
    }
}
