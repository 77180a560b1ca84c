/// The check of names for invisible characters, and for characters that change how others appear.
///
/// With such characters two different names look alike, or a name shows another text than it
/// contains. Joiners are refused too, even in Persian and Indic names, because a program may show
/// the name without them. Only ordinary emoji sequences may contain them: each of their parts is
/// visible.
enum HiddenCharacters {
    private static let textVariation: Unicode.Scalar = "\u{FE0E}"
    private static let emojiVariation: Unicode.Scalar = "\u{FE0F}"
    private static let joiner: Unicode.Scalar = "\u{200D}"
    private static let keycap: Unicode.Scalar = "\u{20E3}"
    private static let blackFlag: Unicode.Scalar = "\u{1F3F4}"
    private static let endOfTags: Unicode.Scalar = "\u{E007F}"
    /// The number of tags of a flag: two letters for a country, and one to four letters or digits
    /// for its subdivision (UTS #51, Annex C). More tags would be hidden text.
    private static let tagCounts = 3...6

    /// The first forbidden character in a text.
    /// - Returns: `control`, `direction`, `unassigned` or `invisible`; nil if there is none.
    static func fault(in text: [Unicode.Scalar]) -> AddressFault? {
        var index = 0
        while index < text.count {
            if let end = self.endOfFlag(text, at: index) {
                index = end
            } else if let fault = self.fault(of: text[index]), !self.isPartOfEmoji(text, at: index)
            {
                return fault
            } else {
                index += 1
            }
        }
        return nil
    }

    private static func fault(of scalar: Unicode.Scalar) -> AddressFault? {
        switch scalar.value {
        case 0x09, 0x20..<0x7F: nil
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: .control
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: .direction
        default: Placeholder.isOne(scalar) ? nil : self.propertyFault(of: scalar)
        }
    }

    private static func propertyFault(of scalar: Unicode.Scalar) -> AddressFault? {
        let properties = scalar.properties
        guard !properties.isDefaultIgnorableCodePoint, !self.isShownBlank(scalar) else {
            return .invisible
        }
        return switch properties.generalCategory {
        case .format: .invisible
        case .privateUse, .surrogate: .unassigned
        // Emoji of a later Unicode version are visible, at least as a box.
        case .unassigned: (0x1F000...0x1FAFF).contains(scalar.value) ? nil : .unassigned
        default: nil
        }
    }

    /// Characters that look like a space, or invisibly join letters, but that Unicode does not
    /// classify as white space or ignorable.
    private static func isShownBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // The empty Braille pattern, and the object replacement character.
        case 0x2800, 0xFFFC: true
        // Empty hieroglyphs, the Khitan filler, and the null notehead.
        case 0x13441, 0x13442, 0x16FE4, 0x1D159: true
        // The joiners of Tifinagh and Brahmi.
        case 0x2D7F, 0x1107F: true
        default: false
        }
    }

    // MARK: - Emoji

    /// The flag of a country's subdivision: a black flag, tags, and the end of tags.
    ///
    /// - Returns: the offset after it; nil if there is none.
    private static func endOfFlag(_ text: [Unicode.Scalar], at index: Int) -> Int? {
        guard text[index] == self.blackFlag else { return nil }
        let tags = text[(index + 1)...].prefix(self.tagCounts.upperBound)
            .prefix { self.isTag($0) }
        guard self.tagCounts.contains(tags.count), tags.endIndex < text.count,
            text[tags.endIndex] == self.endOfTags
        else { return nil }
        return tags.endIndex + 1
    }

    private static func isTag(_ scalar: Unicode.Scalar) -> Bool {
        (0xE0061...0xE007A).contains(scalar.value) || (0xE0030...0xE0039).contains(scalar.value)
    }

    /// Whether a character is a variation selector after an emoji or in a keycap, or a joiner
    /// between two emoji.
    private static func isPartOfEmoji(_ text: [Unicode.Scalar], at index: Int) -> Bool {
        let isBehind = index > 0 && self.isEmoji(text[index - 1])
        let next = index + 1 < text.count ? text[index + 1] : nil
        switch text[index] {
        case self.textVariation: return isBehind
        case self.emojiVariation:
            return isBehind || index > 0 && next == self.keycap && self.hasKey(text[index - 1])
        case self.joiner:
            guard let next, self.isEmoji(next) else { return false }
            return isBehind
                || index > 1 && text[index - 1] == self.emojiVariation
                    && self.isEmoji(text[index - 2])
        default: return false
        }
    }

    private static func isEmoji(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII && scalar.properties.isEmoji
    }

    private static func hasKey(_ scalar: Unicode.Scalar) -> Bool {
        ("0"..."9").contains(scalar) || scalar == "#" || scalar == "*"
    }
}
