/// `=?utf-8?Q?B=C3=BCro?=`: text of a display name in another charset (RFC 2047).
struct EncodedWord {
    /// What mail readers may show in different ways.
    struct Unreadable: Error {}

    /// Which octets of a charset are the ASCII characters of the same number.
    private enum Kind: Equatable {
        /// All below 128.
        case ascii
        /// All below 128; others are the halves of characters (EUC).
        case halves(at: [Pair])
        /// Those that are not the second half of a character, whose first half is in the ranges.
        case pairs([ClosedRange<UInt8>], at: [Pair])
        /// Those between escape sequences that say so (RFC 1468).
        case escapes
    }

    /// The two octets of a character; those here are shown as an `@`, wider or smaller (U+FF20, U+FE6B).
    private struct Pair: Equatable {
        let first: UInt8
        let second: UInt8

        init(_ first: UInt8, _ second: UInt8) {
            self.first = first
            self.second = second
        }
    }

    /// In the rows and columns of JIS X 0208.
    private static let japaneseSign = Pair(0x21, 0x77)

    private static let kinds: [(prefix: StaticString, kind: Kind)] = [
        ("utf-8", .ascii), ("utf8", .ascii), ("us-ascii", .ascii), ("ascii", .ascii),
        ("iso-8859-", .ascii), ("iso8859-", .ascii), ("latin", .ascii), ("windows-125", .ascii),
        ("windows-874", .ascii), ("cp125", .ascii), ("koi8-", .ascii), ("tis-620", .ascii),
        ("macintosh", .ascii), ("x-mac-roman", .ascii), ("x-mac-ce", .ascii),
        ("x-mac-cyrillic", .ascii), ("x-mac-greek", .ascii), ("x-mac-turkish", .ascii),
        ("euc-j", .halves(at: [Pair(0xA1, 0xF7)])), ("euc-tw", .halves(at: [Pair(0xA2, 0xE9)])),
        ("euc-", .halves(at: [Pair(0xA3, 0xC0)])), ("ks_c_5601", .halves(at: [Pair(0xA3, 0xC0)])),
        ("gb", .pairs([0x81...0xFE], at: [Pair(0xA3, 0xC0), Pair(0xA9, 0x88)])),
        ("big5", .pairs([0x81...0xFE], at: [Pair(0xA2, 0x49), Pair(0xA2, 0x4E)])),
        ("shift_jis", .pairs([0x81...0x9F, 0xE0...0xFC], at: [Pair(0x81, 0x97)])),
        ("windows-31j", .pairs([0x81...0x9F, 0xE0...0xFC], at: [Pair(0x81, 0x97)])),
        ("iso-2022-jp", .escapes),
    ]

    /// In the charset.
    private var octets: [UInt8]
    private let kind: Kind

    /// Takes the next word's octets behind its own, as some readers put words of one charset together
    /// before they look for characters.
    ///
    /// - Returns: false, with nothing taken, where the charset is of another kind.
    mutating func take(_ next: EncodedWord) -> Bool {
        guard self.kind == next.kind else { return false }
        self.octets += next.octets
        return true
    }

    /// The text that a word stands for; what is not ASCII in it stays as it is or is left out, but
    /// for an `@` of another width, which is an `@` here.
    func text() throws(Unreadable) -> [UInt8] {
        switch self.kind {
        case .ascii:
            return self.octets
        case .halves(let signs):
            return Self.withSigns(self.octets, signs) + Self.misread(self.octets, signs)
        case .pairs(let firsts, let signs):
            return Self.withoutPairs(self.octets, firsts, signs) + Self.misread(self.octets, signs)
        case .escapes:
            return try Self.withoutEscapes(self.octets)
        }
    }

    /// - Throws: for what begins like an encoded word and is none, is not alone, or is in a charset whose
    ///   ASCII characters are elsewhere (UTF-7, UTF-16, EBCDIC) or unknown: some readers show it as text,
    ///   others as what it stands for.
    /// - Returns: nil for what is no encoded word, which is then text as it stands.
    static func decode(_ word: ArraySlice<UInt8>) throws(Unreadable) -> EncodedWord? {
        guard self.hasMark(word) else { return nil }
        guard word.starts(with: "=?".utf8), word.suffix(2).elementsEqual("?=".utf8),
            word.count > 4
        else { throw Unreadable() }
        let parts = word.dropFirst(2).dropLast(2)
            .split(separator: UInt8(ascii: "?"), omittingEmptySubsequences: false)
        guard parts.count == 3, let encoding = parts[1].first, parts[1].count == 1 else {
            throw Unreadable()
        }
        // RFC 2231 §5: a language may stand behind the charset.
        let charset = parts[0].prefix { $0 != UInt8(ascii: "*") }
        guard let kind = self.kinds.first(where: { charset.starts(withWord: $0.prefix) })?.kind
        else { throw Unreadable() }
        switch encoding.asciiLowercased {
        case UInt8(ascii: "b"): return EncodedWord(octets: self.base64(parts[2]), kind: kind)
        case UInt8(ascii: "q"): return EncodedWord(octets: self.quoted(parts[2]), kind: kind)
        default: throw Unreadable()
        }
    }

    /// Whether an encoded word begins anywhere in it.
    private static func hasMark(_ word: ArraySlice<UInt8>) -> Bool {
        zip(word, word.dropFirst())
            .contains { $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?") }
    }

    /// A sign that a reader sees who takes characters to begin elsewhere, because an octet before is
    /// none of the charset as that reader knows it. Next to letters only: halves of two characters of
    /// a name may look like one by chance.
    private static func misread(_ octets: [UInt8], _ signs: [Pair]) -> [UInt8] {
        var isBehindText = false
        var isSeen = false
        for (octet, next) in zip(octets, octets.dropFirst() + [0]) {
            if octet < 0x80 {
                isBehindText = Self.isShown(octet)
                if isSeen, isBehindText { return [UInt8(ascii: "@")] }
                isSeen = false
            } else if signs.contains(Pair(octet, next)) {
                if isBehindText { return [UInt8(ascii: "@")] }
                isSeen = true
            }
        }
        return []
    }

    private static func withSigns(_ octets: [UInt8], _ signs: [Pair]) -> [UInt8] {
        var text: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            text.append(octet)
            // In EUC-JP a character of three octets is one that says so, and two more.
            guard octet >= 0x80, octet != 0x8F, let second = rest.first, second >= 0x80 else {
                continue
            }
            rest = rest.dropFirst()
            text.append(second)
            if signs.contains(Pair(octet, second)) { text.append(UInt8(ascii: "@")) }
        }
        return text
    }

    private static func withoutPairs(
        _ octets: [UInt8],
        _ firsts: [ClosedRange<UInt8>],
        _ signs: [Pair]
    ) -> [UInt8] {
        var text: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            if firsts.contains(where: { $0.contains(octet) }) {
                guard let second = rest.popFirst() else { break }
                // Where there is no such character, some readers show a second half that is an `@` for
                // itself; between letters it could make an address.
                let isBetween =
                    (text.last.map(Self.isShown) ?? false)
                    && (rest.first.map(Self.isShown) ?? false)
                if signs.contains(Pair(octet, second)) || second == UInt8(ascii: "@") && isBetween {
                    text.append(UInt8(ascii: "@"))
                }
            } else {
                text.append(octet)
            }
        }
        return text
    }

    private static func isShown(_ octet: UInt8) -> Bool { octet > 0x20 && octet < 0x7F }

    /// `ESC ( B` and `ESC ( J` begin ASCII, `ESC $ …` characters of two octets.
    private static func withoutEscapes(_ octets: [UInt8]) throws(Unreadable) -> [UInt8] {
        var text: [UInt8] = []
        var rest = octets[...]
        var isASCII = true
        var first: UInt8?
        while let octet = rest.popFirst() {
            guard octet == 0x1B else {
                guard octet < 0x80 else { throw Unreadable() }
                if isASCII {
                    text.append(octet)
                } else if let half = first {
                    if Pair(half, octet) == self.japaneseSign { text.append(UInt8(ascii: "@")) }
                    first = nil
                } else {
                    first = octet
                }
                continue
            }
            first = nil
            if rest.starts(with: "(B".utf8) || rest.starts(with: "(J".utf8) {
                isASCII = true
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "$@".utf8) || rest.starts(with: "$B".utf8) {
                isASCII = false
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "$(D".utf8) {
                isASCII = false
                rest = rest.dropFirst(3)
            } else {
                throw Unreadable()
            }
        }
        return text
    }

    /// Lenient, as mail readers are: what cannot be base64 is left out.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for octet in text {
            let value: UInt8
            switch octet {
            case 0x41...0x5A: value = octet - 0x41
            case 0x61...0x7A: value = octet - 0x61 + 26
            case 0x30...0x39: value = octet - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return octets
    }

    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = text
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "_") {
                octets.append(0x20)
            } else if octet == UInt8(ascii: "="), let high = self.hex(rest.first),
                let low = self.hex(rest.dropFirst().first)
            {
                octets.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return octets
    }

    private static func hex(_ octet: UInt8?) -> UInt8? {
        switch octet {
        case .some(let octet) where octet.isDigit: octet - 0x30
        case .some(let octet) where octet.asciiLowercased >= 0x61 && octet.asciiLowercased <= 0x66:
            octet.asciiLowercased - 0x61 + 10
        default: nil
        }
    }
}
