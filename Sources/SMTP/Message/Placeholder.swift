/// Characters that stand for those that the gateway does not decode. No text in UTF-8 has them.
enum Placeholder {
    /// For a character of a charset with two octets for one. It may be a full stop.
    static let unknown: Unicode.Scalar = "\u{E000}"
    /// For a letter.
    static let letter: Unicode.Scalar = "\u{E001}"
    /// For a blank as wide as a character of two octets. It is that blank itself.
    static let wideBlank: Unicode.Scalar = "\u{3000}"

    /// Whether a character stands for one that the gateway does not decode.
    static func isOne(_ scalar: Unicode.Scalar) -> Bool {
        scalar == self.unknown || scalar == self.letter
    }
}
