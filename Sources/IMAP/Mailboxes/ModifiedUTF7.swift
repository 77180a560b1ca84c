/// Modified UTF-7, the encoding of mailbox names (RFC 3501 §5.1.3).
///
/// Only the canonical spelling of a name is decoded: no unnecessary shift, no adjacent shifts, no
/// surplus bits, no single surrogate. Otherwise two spellings of one name would be two names for
/// some readers and one for others.
package enum ModifiedUTF7 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8
    )
    private static let ampersand = UInt8(ascii: "&")
    private static let minus = UInt8(ascii: "-")

    /// Encodes a name.
    /// - Parameter octets: UTF-8; invalid octets become U+FFFD.
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

    /// Decodes a name.
    /// - Parameter octets: the octets on the wire.
    /// - Returns: UTF-8; nil unless the spelling is canonical.
    package static func decode(_ octets: [UInt8]) -> [UInt8]? {
        guard octets.contains(self.ampersand) else {
            return octets.allSatisfy(self.isDirect) ? octets : nil
        }
        let decoded = self.decode(anySpelling: octets)
        return self.encode(decoded) == octets ? decoded : nil
    }

    /// Decodes any spelling of a name, as lenient readers do: adjacent or unnecessary shifts and
    /// surplus bits are accepted. Invalid shifts and octets outside US-ASCII stay unchanged.
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

    /// Whether an octet represents itself: printable US-ASCII.
    private static func isDirect(_ octet: UInt8) -> Bool {
        octet >= 0x20 && octet < 0x7F
    }

    /// Ends a shifted run.
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

    /// The UTF-8 of a shifted run, without its `&` and `-`; nil if it is invalid.
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
