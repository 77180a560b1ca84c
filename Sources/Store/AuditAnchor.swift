import Foundation

/// A record's number and hash that an administrator keeps outside the store: `SEQUENCE:HASH`, or
/// `NODE:SEQUENCE:HASH` for the chain of a node.
///
/// It is read from its end: the hash has 64 hexadecimal digits and the number has no colon, so a
/// node's name may have any character.
struct AuditAnchor: Equatable, CustomStringConvertible {
    /// The node; empty for the only chain of a file.
    let node: String
    /// The record's number; 0 for a chain that had no record.
    let sequence: Int64
    /// The record's hash, 32 octets.
    let hash: Data

    /// Creates an anchor of a record.
    init(node: String, sequence: Int64, hash: Data) {
        self.node = node
        self.sequence = sequence
        self.hash = hash
    }

    /// Parses an anchor.
    /// - Returns: Nil for another form.
    init?(_ text: String) {
        // Octets: a letter that combines with a colon is no part of it.
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count >= 2, let digits = parts.last.map(Array.init), digits.count == 64,
            let sequence = Int64(String(decoding: parts[parts.count - 2], as: UTF8.self))
        else { return nil }
        var hash = Data()
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let octet = UInt8(pair, radix: 16) else { return nil }
            hash.append(octet)
        }
        let name = Array(parts.dropLast(2).joined(separator: [UInt8(ascii: ":")]))
        guard parts.count == 2 || !name.isEmpty else { return nil }
        self.init(node: String(decoding: name, as: UTF8.self), sequence: sequence, hash: hash)
    }

    /// The text, with the hash in lower-case digits.
    var description: String {
        (self.node.isEmpty ? "" : "\(self.node):") + "\(self.sequence):"
            + self.hash.map { String(format: "%02x", $0) }.joined()
    }
}
