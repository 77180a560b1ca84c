import COpenSSL

/// A secret key of 32 octets for ``AESGCM`` and ``HMACSHA256``.
package struct SymmetricKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The length of a key.
    package static let octetCount = 32

    let octets: [UInt8]

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
    /// Without children: `dump` prints no part of the key.
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The key in base64 (RFC 4648 §4). Write it only to a file that no other user can read.
    package func base64EncodedString() -> String {
        // Four characters for three octets, and a zero octet.
        var text = [UInt8](repeating: 0, count: (self.octets.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, self.octets, CInt(self.octets.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
