import SASL

/// An encoded word in a display name: `=?utf-8?Q?B=C3=BCro?=` (RFC 2047 §2).
///
/// Only the form that all decoders read alike is accepted. A lenient decoder reads `=KG` as `@`, or
/// restarts after a `=` within base64, and would show another text than the gateway checked.
enum EncodedWord {
    /// Decodes a word.
    ///
    /// - Parameter word: a word without spaces.
    /// - Returns: nil for a word that is not encoded.
    /// - Throws: `encodedWord` for a partial or non-canonical encoded word; `charset` for an
    ///   unknown charset; any error of ``Charset/decode(_:)``.
    static func decode(
        _ word: ArraySlice<UInt8>
    ) throws(AddressFault) -> [Unicode.Scalar]? {
        guard self.hasMark(word) else { return nil }
        guard word.starts(with: "=?".utf8), word.suffix(2).elementsEqual("?=".utf8),
            word.count > 4
        else { throw .encodedWord }
        let parts = word.dropFirst(2).dropLast(2)
            .split(separator: UInt8(ascii: "?"), omittingEmptySubsequences: false)
        guard parts.count == 3, let encoding = parts[1].first, parts[1].count == 1,
            !parts[2].isEmpty, self.hasPlainLanguage(parts[0])
        else { throw .encodedWord }
        guard let charset = Charset(name: parts[0].prefix { $0 != UInt8(ascii: "*") }) else {
            throw .charset
        }
        let octets: [UInt8]? =
            switch encoding.asciiLowercased {
            // The "B" encoding (RFC 2047 §4.1).
            case UInt8(ascii: "b"): Base64.decode(Array(parts[2]))
            case UInt8(ascii: "q"): self.quoted(parts[2])
            default: nil
            }
        guard let octets else { throw .encodedWord }
        return try charset.decode(octets)
    }

    /// Whether the start of an encoded word occurs in the word.
    private static func hasMark(_ word: ArraySlice<UInt8>) -> Bool {
        zip(word, word.dropFirst())
            .contains { $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?") }
    }

    ///     encoded-word := "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2231
    ///     §5) Language-Tag = 1*8ALPHA *("-" 1*8(ALPHA / DIGIT))
    private static func hasPlainLanguage(_ charset: ArraySlice<UInt8>) -> Bool {
        let parts = charset.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return parts.count == 1 }
        let tags = parts[1].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return tags.allSatisfy {
            (1...8).contains($0.count) && $0.allSatisfy { $0.isLetter || $0.isDigit }
        } && tags[0].allSatisfy(\.isLetter)
    }

    /// Decodes the "Q" encoding (RFC 2047 §4.2). Lower-case hex digits are accepted: all decoders
    /// read them alike, and some programs write them.
    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = text
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "_"):
                octets.append(0x20)
            case UInt8(ascii: "="):
                guard let high = self.hexValue(rest.popFirst()),
                    let low = self.hexValue(rest.popFirst())
                else { return nil }
                octets.append(high << 4 | low)
            case 0x21..<0x7F:
                octets.append(octet)
            default:
                return nil
            }
        }
        return octets
    }

    private static func hexValue(_ octet: UInt8?) -> UInt8? {
        switch octet {
        case .some(let octet) where octet.isDigit: octet - 0x30
        case .some(let octet) where octet.asciiLowercased >= 0x61 && octet.asciiLowercased <= 0x66:
            octet.asciiLowercased - 0x61 + 10
        default: nil
        }
    }
}
