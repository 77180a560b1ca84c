/// A secret key of 32 octets for ``AESGCM`` and ``HMACSHA256``.
package struct SymmetricKey: Sendable, CustomStringConvertible {
    /// The length of a key.
    package static let octetCount = 32

    /// The key. Write it only to a file that no other user can read.
    package let octets: [UInt8]

    /// A random key.
    package init() {
        self.octets = Random.octets(count: Self.octetCount)
    }

    /// - Returns: nil unless there are ``octetCount`` octets.
    package init?(octets: [UInt8]) {
        guard octets.count == Self.octetCount else { return nil }
        self.octets = octets
    }

    /// A constant: the key is never printed.
    package var description: String { "SymmetricKey" }
}
