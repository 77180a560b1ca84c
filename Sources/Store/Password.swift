import Cryptography
import Foundation

/// A password hash as it is stored: scrypt with its parameters and its salt (RFC 7914).
package struct PasswordHash: Equatable, Sendable {
    /// The cost N. With 32 MiB of memory and about 0.1 seconds for each guess it slows down an
    /// attacker who has a copy of the store.
    private static let rounds = 1 << 15
    /// The block size r, as RFC 7914 §2 recommends.
    private static let blockSize = 8
    /// The parallelization p.
    private static let parallelism = 1
    /// Octets of random salt, so that equal passwords have different hashes.
    private static let saltOctets = 16
    /// Octets of the derived key.
    private static let keyOctets = 32
    /// The block of SHA-256 in octets (RFC 6234 §1).
    private static let blockOctets = 64
    /// The accepted logarithms of the rounds: fewer rounds protect no password. ``Scrypt/isUsable``
    /// limits the memory, so that the upper end depends on the block size: 16 for a block size of 8.
    private static let logarithms = 10...20

    /// `scrypt$15$8$1$SALT$KEY`: log2 N, r, p, then salt and key in base64.
    package let text: String

    /// Takes a stored hash without checking it; ``verify(_:)`` fails for a malformed one.
    package init(text: String) {
        self.text = text
    }

    /// Hashes a new password with a random salt. Takes about 0.1 seconds of CPU time: never
    /// call it on an event loop.
    /// - Throws: An error of the cryptography library, such as for a lack of memory.
    package init(password: [UInt8]) throws {
        let salt = Data(Random.octets(count: Self.saltOctets))
        let key = try Self.derive(
            password,
            salt: salt,
            rounds: Self.rounds,
            blockSize: Self.blockSize,
            parallelism: Self.parallelism
        )
        self.text = [
            "scrypt", "15", "\(Self.blockSize)", "\(Self.parallelism)",
            salt.base64EncodedString(), key.base64EncodedString(),
        ].joined(separator: "$")
    }

    /// The hash to verify for an unknown user, so that the time of a login does not reveal
    /// which users exist.
    package static let dummy = PasswordHash(
        text: "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    )

    /// A password with the same hashes in at most 64 octets, for a check that waits.
    ///
    /// HMAC replaces a longer key by its digest (RFC 2104 §2), and the password is the key of each
    /// HMAC in scrypt (RFC 7914 §6, RFC 8018 §5.2).
    package static func shortened(_ password: [UInt8]) -> [UInt8] {
        password.count > Self.blockOctets ? SHA256.digest(of: password) : password
    }

    /// Whether a password matches. The comparison takes constant time. Takes about 0.1 seconds
    /// of CPU time: never call it on an event loop.
    /// - Returns: False also for a malformed hash, and for a cost outside 2^10 to 2^20.
    package func verify(_ password: [UInt8]) -> Bool {
        let fields = self.text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "scrypt", let logarithm = Int(fields[1]),
            Self.logarithms.contains(logarithm), let blockSize = Int(fields[2]),
            let parallelism = Int(fields[3]), let salt = Data(base64Encoded: String(fields[4])),
            let expected = Data(base64Encoded: String(fields[5])),
            let key = try? Self.derive(
                password,
                salt: salt,
                rounds: 1 << logarithm,
                blockSize: blockSize,
                parallelism: parallelism
            ),
            key.count == expected.count
        else { return false }
        return isEqual(Array(key), to: Array(expected))
    }

    /// The key that scrypt derives.
    /// - Throws: ``StoreError`` for a negative parameter in a stored hash.
    private static func derive(
        _ password: [UInt8],
        salt: Data,
        rounds: Int,
        blockSize: Int,
        parallelism: Int
    ) throws -> Data {
        guard let rounds = UInt64(exactly: rounds), let blockSize = UInt64(exactly: blockSize),
            let parallelism = UInt64(exactly: parallelism)
        else { throw StoreError.unusable("a stored password is damaged: set it again") }
        let scrypt = Scrypt(rounds: rounds, blockSize: blockSize, parallelism: parallelism)
        return Data(
            try scrypt.key(from: password, salt: Array(salt), octetCount: Self.keyOctets)
        )
    }
}

/// A user's password hash with its version.
package struct PasswordRecord: Sendable {
    /// The hash to verify.
    package var hash: PasswordHash
    /// The number of times that a password was set. Sessions that began with another version
    /// are closed.
    package var version: Int64
}
