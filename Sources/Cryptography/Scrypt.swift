import COpenSSL

/// Derives a key from a password at a chosen cost of memory and time (scrypt, RFC 7914).
package struct Scrypt: Equatable, Sendable {
    /// `N`, a power of two.
    package var rounds: UInt64
    /// `r`.
    package var blockSize: UInt64
    /// `p`.
    package var parallelism: UInt64

    /// Memory for one derivation: parameters from a damaged store must not take all of it.
    private static let maximumOctets: UInt64 = 128 * 1_024 * 1_024

    package init(rounds: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// - Throws: `unusable` for parameters that scrypt does not have, or that need more memory than is given.
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
