/// Modified UTF-7, the encoding of mailbox names (RFC 3501 §5.1.3).
///
/// Only the one canonical spelling of a name decodes: no shift where none is needed, no two shifts
/// in a row, no bits left over, no lone surrogate. Two spellings of one name would be two names
/// to one reader and one to another.
package enum ModifiedUTF7 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8
    )
    private static let ampersand = UInt8(ascii: "&")
    private static let minus = UInt8(ascii: "-")

    /// - Parameter octets: UTF-8; an octet that is none becomes U+FFFD.
    package static func encode(_ octets: [UInt8]) -> [UInt8] {
        if octets.allSatisfy({ self.isDirect($0) && $0 != self.ampersand }) { return octets }
        var encoded: [UInt8] = []
        var shifted: [UInt16] = []
        for scalar in String(decoding: octets, as: UTF8.self).unicodeScalars {
            guard scalar.isASCII, self.isDirect(UInt8(scalar.value)) else {
                shifted.append(contentsOf: UTF16.encode(scalar) ?? UTF16.EncodedScalar())
                continue
            }
            self.unshift(&shifted, into: &encoded)
            encoded.append(UInt8(scalar.value))
            if scalar == "&" { encoded.append(self.minus) }
        }
        self.unshift(&shifted, into: &encoded)
        return encoded
    }

    /// - Parameter octets: wire octets.
    /// - Returns: UTF-8, or nil unless `octets` is the canonical spelling of a name.
    package static func decode(_ octets: [UInt8]) -> [UInt8]? {
        guard octets.contains(self.ampersand) else {
            return octets.allSatisfy(self.isDirect) ? octets : nil
        }
        let decoded = self.decode(anySpelling: octets)
        return self.encode(decoded) == octets ? decoded : nil
    }

    /// What a reader that is content with any spelling makes of a name: two shifts in a row, a shift
    /// where none is needed, bits left over. What is no shift, and what is no US-ASCII, stays as it is.
    package static func decode(anySpelling octets: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.first {
            rest = rest.dropFirst()
            guard octet == self.ampersand, let end = rest.firstIndex(of: self.minus),
                let text = self.shifted(rest[..<end])
            else {
                decoded.append(octet)
                continue
            }
            decoded.append(contentsOf: end == rest.startIndex ? [self.ampersand] : text)
            rest = rest[rest.index(after: end)...]
        }
        return decoded
    }

    /// Printable US-ASCII stands for itself.
    private static func isDirect(_ octet: UInt8) -> Bool {
        octet >= 0x20 && octet < 0x7F
    }

    private static func unshift(_ units: inout [UInt16], into encoded: inout [UInt8]) {
        guard !units.isEmpty else { return }
        encoded.append(self.ampersand)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for unit in units {
            bits = bits << 16 | UInt32(unit)
            count += 16
            while count >= 6 {
                count -= 6
                encoded.append(self.alphabet[Int(bits >> count & 63)])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { encoded.append(self.alphabet[Int(bits << (6 - count) & 63)]) }
        encoded.append(self.minus)
        units = []
    }

    /// UTF-8 of a shifted run, without the `&` and the `-` around it.
    private static func shifted(_ run: ArraySlice<UInt8>) -> [UInt8]? {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for octet in run {
            guard let value = self.alphabet.firstIndex(of: octet) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 16 else { continue }
            count -= 16
            units.append(UInt16(bits >> count & 0xFFFF))
            bits &= (1 << count) - 1
        }
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        return Array(text.utf8)
    }
}
