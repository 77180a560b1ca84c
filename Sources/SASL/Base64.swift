/// Base64 in SASL messages and encoded words: no white space, exact padding, no surplus bits
/// (RFC 4648 §3.5, §4).
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )
    private static let padding = UInt8(ascii: "=")

    /// Encodes octets, with padding to a multiple of four characters.
    package static func encode(_ octets: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity((octets.count + 2) / 3 * 4)
        var rest = octets[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let bits =
                group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for index in 0..<4 {
                let isPadding = index > group.count
                let value = Int(bits >> (18 - 6 * UInt32(index)) & 63)
                encoded.append(isPadding ? self.padding : self.alphabet[value])
            }
        }
        return encoded
    }

    /// Decodes base64.
    /// - Returns: nil unless `text` is the canonical encoding of its octets.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count / 4 * 3)
        var rest = text[...]
        while !rest.isEmpty {
            let group = rest.prefix(4)
            rest = rest.dropFirst(4)
            let padding = group.reversed().prefix { $0 == self.padding }.count
            guard padding <= 2, padding == 0 || rest.isEmpty else { return nil }
            var bits: UInt32 = 0
            for octet in group.dropLast(padding) {
                guard let value = self.value(of: octet) else { return nil }
                bits = bits << 6 | value
            }
            bits <<= 6 * UInt32(padding)
            let octets = [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
            guard octets.suffix(padding).allSatisfy({ $0 == 0 }) else { return nil }
            decoded.append(contentsOf: octets.dropLast(padding))
        }
        return decoded
    }

    /// The six bits of a character; nil outside the alphabet.
    private static func value(of octet: UInt8) -> UInt32? {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(octet - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(octet - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(octet - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
