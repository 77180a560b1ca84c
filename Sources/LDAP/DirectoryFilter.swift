/// Search filters (RFC 4515).
package enum DirectoryFilter {
    /// The escaped form of an assertion value. It is one value in every filter, whatever its octets
    /// are.
    ///
    /// ```
    /// valueencoding = 0*(normal / escaped)
    /// escaped       = ESC HEX HEX
    /// ```
    /// Every octet outside printable US-ASCII is escaped, so that octets that are no UTF-8 keep
    /// their value.
    package static func escaped(_ octets: some Sequence<UInt8>) -> String {
        HexEscape.escaped(octets) { octet in
            switch octet {
            case UInt8(ascii: "*"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"): true
            default: false
            }
        }
    }

    /// A filter that is true for each of the values.
    /// - Parameters:
    ///   - attribute: a type, from the configuration or a constant.
    ///   - values: the values, not escaped.
    static func any(of values: [String], attribute: String) -> String {
        let items = values.map { "(\(attribute)=\(self.escaped($0.utf8)))" }
        return "(|\(items.joined()))"
    }
}

/// The escape sequence that filters and distinguished names share: `\` and two hexadecimal digits.
enum HexEscape {
    /// Escapes the octets outside printable US-ASCII and those that a function names.
    static func escaped(
        _ octets: some Sequence<UInt8>,
        _ isSpecial: (UInt8) -> Bool
    ) -> String {
        var text = ""
        for octet in octets {
            if (0x20...0x7E).contains(octet), !isSpecial(octet) {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                text += (octet < 0x10 ? "\\0" : "\\") + String(octet, radix: 16)
            }
        }
        return text
    }
}
