/// Finds characters of a name that are not seen, or that change how others are shown.
///
/// With them two names that look alike differ, or a name shows something else than it says. Joiners are among
/// them, also where Persian and Indic names are written with one: a program may show the name without it.
/// Only an ordinary sequence of emoji may have them, because each part of it is seen.
enum HiddenCharacters {
    private static let emojiVariation: Unicode.Scalar = "\u{FE0F}"
    private static let joiner: Unicode.Scalar = "\u{200D}"

    /// - Returns: `control`, `direction` or `invisible` for the first such character; nil without one.
    static func fault(in text: [Unicode.Scalar]) -> AddressParser.Fault? {
        for index in text.indices {
            if let fault = self.fault(of: text[index]), !self.isPartOfEmoji(text, at: index) {
                return fault
            }
        }
        return nil
    }

    private static func fault(of scalar: Unicode.Scalar) -> AddressParser.Fault? {
        switch scalar.value {
        case 0x09, 0x20..<0x7F: nil
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: .control
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: .direction
        // A Braille pattern without a dot is as blank as a space.
        case 0x2800: .invisible
        default: self.isInvisible(scalar) ? .invisible : nil
        }
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isDefaultIgnorableCodePoint || properties.generalCategory == .format
    }

    /// U+FE0F behind an emoji, and U+200D between two.
    private static func isPartOfEmoji(_ text: [Unicode.Scalar], at index: Int) -> Bool {
        let isBehind = index > 0 && self.isEmoji(text[index - 1])
        if text[index] == self.emojiVariation { return isBehind }
        guard text[index] == self.joiner, index + 1 < text.count, self.isEmoji(text[index + 1])
        else { return false }
        return isBehind
            || index > 1 && text[index - 1] == self.emojiVariation
                && self.isEmoji(text[index - 2])
    }

    private static func isEmoji(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII && scalar.properties.isEmoji
    }
}
