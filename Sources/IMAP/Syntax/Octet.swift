/// The character classes of the grammar (RFC 9051 §9, RFC 3501 §9).
extension UInt8 {
    /// `CHAR` without `atom-specials`.
    ///
    ///     atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials /
    ///     resp-specials
    package var isAtomChar: Bool {
        guard self > 0x20, self < 0x7F else { return false }
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"),
            UInt8(ascii: "*"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"):
            return false
        default:
            return true
        }
    }

    ///     ASTRING-CHAR = ATOM-CHAR / resp-specials
    package var isAstringChar: Bool {
        self.isAtomChar || self == UInt8(ascii: "]")
    }

    ///     list-char = ATOM-CHAR / list-wildcards / resp-specials
    package var isListChar: Bool {
        self.isAstringChar || self == UInt8(ascii: "%") || self == UInt8(ascii: "*")
    }

    ///     tag = 1*<any ASTRING-CHAR except "+">
    package var isTagChar: Bool {
        self.isAstringChar && self != UInt8(ascii: "+")
    }

    ///     DIGIT = %x30-39
    package var isDigit: Bool {
        self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9")
    }

    /// A C0 control or DEL (`CTL`).
    package var isControl: Bool {
        self < 0x20 || self == 0x7F
    }

    /// The octet, with an ASCII letter in upper case.
    package var asciiUppercased: UInt8 {
        self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") ? self &- 0x20 : self
    }
}
