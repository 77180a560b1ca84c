package import Access
import Cryptography

/// The primary key of an app password in the store. A number is not used again.
package struct AppPasswordID: Hashable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }
}

/// A random password for one program or device of a user: 24 characters in groups of four, which are
/// 120 random bits. That many need no slow hash: nobody finds them by trying.
package struct AppPassword: Sendable, CustomStringConvertible {
    /// 32 characters, without those that are easily taken for others (`i`, `l`, `o`, `0`, `1`) but one.
    private static let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789i".utf8)
    private static let length = 24
    private static let groupLength = 4

    /// The characters without the hyphens.
    private let characters: [UInt8]

    /// Makes a random password.
    init() {
        self.characters = Random.octets(count: Self.length).map { Self.alphabet[Int($0 & 31)] }
    }

    /// Reads what a client sent: hyphens and spaces are optional, and letters may be capital.
    /// - Returns: nil for a text that is no app password.
    package init?(_ octets: [UInt8]) {
        guard octets.count <= Self.length * 2 else { return nil }
        let characters =
            octets.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
            .map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard characters.count == Self.length,
            characters.allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        self.characters = characters
    }

    /// The text that the user types: `abcd-efgh-…`.
    package var text: String {
        stride(from: 0, to: self.characters.count, by: Self.groupLength).map { start in
            String(
                decoding: self.characters[start..<(start + Self.groupLength)],
                as: UTF8.self
            )
        }.joined(separator: "-")
    }

    /// The SHA-256 of the characters, which the store has.
    var digest: [UInt8] { SHA256.digest(of: self.characters) }

    /// Compares with a stored digest, in constant time.
    package func matches(_ digest: [UInt8]) -> Bool { isEqual(self.digest, to: digest) }

    /// A constant: the password is not printed by accident.
    package var description: String { "AppPassword" }
}

/// What logins with an app password are judged by.
package struct AppPasswordRecord: Equatable, Sendable {
    package var id: AppPasswordID
    /// The SHA-256 of the password.
    package var digest: [UInt8]
    /// When it ends; nil if it does not.
    package var expires: Moment?
}

/// An app password as `gatepost user app-password list` prints it.
package struct AppPasswordRow: Codable, Equatable, Sendable {
    package var name: String
    /// Seconds since 1970.
    package var created: Int64
    /// Seconds since 1970; nil if it was not used. Recorded once an hour at most.
    @Nullable package var used: Int64?
    /// Seconds since 1970; nil if it does not expire.
    @Nullable package var expires: Int64?
}
