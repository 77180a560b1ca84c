import Cryptography
import Foundation

/// A password as it is stored: scrypt with its parameters and its salt (RFC 7914).
package struct PasswordHash: Equatable, Sendable {
    /// 32 MiB and about a tenth of a second for each guess.
    private static let rounds = 1 << 15
    private static let blockSize = 8
    private static let parallelism = 1
    private static let saltOctets = 16
    private static let keyOctets = 32

    /// `scrypt$15$8$1$SALT$KEY`, the last two in base64.
    package let text: String

    package init(text: String) {
        self.text = text
    }

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

    /// Stands in for users who are not there, so that they cost the same time.
    package static let dummy = PasswordHash(
        text: "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    )

    /// Whether `password` is the one; takes the same time whatever differs.
    package func verify(_ password: [UInt8]) -> Bool {
        let fields = self.text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "scrypt", let logarithm = Int(fields[1]),
            (10...20).contains(logarithm), let blockSize = Int(fields[2]),
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

    private static func derive(
        _ password: [UInt8],
        salt: Data,
        rounds: Int,
        blockSize: Int,
        parallelism: Int
    ) throws -> Data {
        guard let rounds = UInt64(exactly: rounds), let blockSize = UInt64(exactly: blockSize),
            let parallelism = UInt64(exactly: parallelism)
        else { throw StoreError.unusable("a stored password is damaged: set it anew") }
        let scrypt = Scrypt(rounds: rounds, blockSize: blockSize, parallelism: parallelism)
        return Data(
            try scrypt.key(from: password, salt: Array(salt), octetCount: Self.keyOctets)
        )
    }
}

/// A user's password and how often it was changed.
package struct PasswordRecord: Sendable {
    package var hash: PasswordHash
    package var version: Int64
}
