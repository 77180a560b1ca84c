/// A secret key of 32 octets, for ``AESGCM`` and ``HMACSHA256``.
package struct SymmetricKey: Sendable, CustomStringConvertible {
    package static let octetCount = 32

    /// The key itself: only for a file that nobody else can read.
    package let octets: [UInt8]

    /// A random key.
    package init() {
        self.octets = Random.octets(count: Self.octetCount)
    }

    /// - Returns: nil for what is not ``octetCount`` octets long.
    package init?(octets: [UInt8]) {
        guard octets.count == Self.octetCount else { return nil }
        self.octets = octets
    }

    /// Shows nothing of the key.
    package var description: String { "SymmetricKey" }
}
