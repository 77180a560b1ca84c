/// The character classes of the grammars (RFC 5321 §4.1.2, RFC 5322 §3.2.3).
extension UInt8 {
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A

    var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    var isLetter: Bool {
        let lower = self | 0x20
        return lower >= 0x61 && lower <= 0x7A
    }

    ///     atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" / "="
    ///             / "?" / "^" / "_" / "`" / "{" / "|" / "}" / "~"
    var isAtext: Bool {
        if self.isLetter || self.isDigit { return true }
        switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "?"),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "{"),
            UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }

    var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// A C0 control or DEL.
    var isControl: Bool { self < 0x20 || self == 0x7F }

    /// The octet, with an ASCII letter in lower case.
    var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }

    /// The octet, with an ASCII letter in upper case. Unicode case folding would turn letters
    /// outside ASCII, such as U+0131 and U+017F, into letters of a keyword.
    var asciiUppercased: UInt8 { self >= 0x61 && self <= 0x7A ? self - 0x20 : self }
}

extension Sequence<UInt8> {
    /// Whether the octets are a word, ignoring ASCII case.
    func equals(word: StaticString) -> Bool {
        word.withUTF8Buffer { expected in
            self.elementsEqual(expected) { $0.asciiLowercased == $1.asciiLowercased }
        }
    }
}

extension Collection<UInt8> where SubSequence: Sendable {
    /// Whether the octets start with a word, ignoring ASCII case.
    func starts(withWord word: StaticString) -> Bool {
        self.count >= word.utf8CodeUnitCount
            && self.prefix(word.utf8CodeUnitCount).equals(word: word)
    }
}

extension Collection<UInt8> {
    /// The number that digits write; nil for anything but 1 to 18 digits, so that nothing overflows.
    var decimalNumber: UInt64? {
        guard (1...18).contains(self.count), self.allSatisfy(\.isDigit) else { return nil }
        return self.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }
}
