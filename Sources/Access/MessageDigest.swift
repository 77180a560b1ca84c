/// The SHA-256 digest of a message's octets.
package struct MessageDigest: Hashable, Sendable {
    package static let octetCount = 32

    package let octets: [UInt8]

    /// - Returns: nil for what is not ``octetCount`` octets long.
    package init?(octets: [UInt8]) {
        guard octets.count == Self.octetCount else { return nil }
        self.octets = octets
    }

    /// - Parameter sha256: a digest of ``octetCount`` octets, by its type.
    package init(sha256: some Sequence<UInt8>) {
        self.octets = Array(sha256)
    }
}
