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
    /// The highest parallelism: a damaged store must not occupy a processor for hours.
    private static let maximumParallelism: UInt64 = 16

    package init(rounds: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// Whether the parameters are valid (RFC 7914 §2) and within the limits of memory and time.
    package var isUsable: Bool {
        // A power of two leaves room in 64 bits for both additions.
        guard self.rounds > 1, self.rounds & (self.rounds - 1) == 0,
            self.blockSize > 0, (1...Self.maximumParallelism).contains(self.parallelism)
        else { return false }
        // `128 * r * p` octets for the blocks and `128 * r * (N + 2)` for the table.
        let (row, rowOverflow) = self.blockSize.multipliedReportingOverflow(by: 128)
        let (octets, overflow) = row.multipliedReportingOverflow(
            by: self.rounds + 2 + self.parallelism
        )
        // RFC 7914 §2: `N` is less than `2^(16 * r)`, which matters for a block size of 1 only.
        let isBelowPower = self.blockSize > 1 || self.rounds < 1 << 16
        return !rowOverflow && !overflow && octets <= Self.maximumOctets && isBelowPower
    }

    /// Derives a key.
    /// - Throws: `unusable` unless ``isUsable``; `unavailable` if libcrypto lacks memory or scrypt.
    package func key(
        from password: [UInt8],
        salt: [UInt8],
        octetCount: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard self.isUsable else { throw .unusable("scrypt does not have these parameters") }
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
            throw .unavailable
        }
        return key
    }
}
