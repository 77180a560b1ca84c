/// A charset with one octet for each ASCII character and two or more for every other character.
struct DoubleOctets {
    /// The first and the last octet of a character.
    struct Pair: Equatable {
        let first: UInt8
        let second: UInt8

        init(_ first: UInt8, second: UInt8) {
            self.first = first
            self.second = second
        }
    }

    /// A rectangular block of the code table.
    private struct Block {
        let firsts: ClosedRange<UInt8>
        let seconds: ClosedRange<UInt8>

        init(_ firsts: ClosedRange<UInt8>, seconds: ClosedRange<UInt8> = 0x40...0xFE) {
            self.firsts = firsts
            self.seconds = seconds
        }

        func contains(_ pair: Pair) -> Bool {
            self.firsts.contains(pair.first) && self.seconds.contains(pair.second)
        }
    }

    /// The structure of the charset.
    private enum Form {
        /// Both octets are above 127 (EUC). In extended Korean charsets the second may be a letter.
        case halves(longer: [UInt8: Int], hasLetters: Bool)
        /// The second octet may be ASCII.
        case pairs(firsts: [ClosedRange<UInt8>], singles: ClosedRange<UInt8>?)
    }

    private let form: Form
    /// Characters that look like `@`, wider or smaller (U+FF20, U+FE6B).
    private let signs: [Pair]
    /// The wide space.
    private let blank: Pair
    /// The soft hyphen, and the Hangul filler of KS X 1001.
    private var hidden: [Pair] = []
    /// Blocks of user-defined characters: private-use characters in some programs, others
    /// elsewhere.
    private var userDefined: [Block] = []

    /// - Parameter name: the charset's name in lower case.
    init?(name: String) {
        switch name {
        case "big5", "big5-hkscs": self.blank = Pair(0xA1, second: 0x40)
        case "shift_jis", "windows-31j": self.blank = Pair(0x81, second: 0x40)
        default: self.blank = Pair(0xA1, second: 0xA1)
        }
        switch name {
        case "euc-jp", "euc-jis-2004", "euc-jisx0213":
            self.form = .halves(longer: [0x8E: 1, 0x8F: 2], hasLetters: false)
            self.signs = [Pair(0xA1, second: 0xF7)]
            if name == "euc-jp" { self.userDefined = [Block(0xF5...0xFE)] }
        case "euc-tw":
            self.form = .halves(longer: [0x8E: 3], hasLetters: false)
            self.signs = [Pair(0xA2, second: 0xE9)]
        case "euc-kr", "ks_c_5601", "ks_c_5601-1987", "ks_c_5601-1989":
            self.form = .halves(longer: [:], hasLetters: true)
            self.signs = [Pair(0xA3, second: 0xC0)]
            self.hidden = [Pair(0xA1, second: 0xA9), Pair(0xA4, second: 0xD4)]
            self.userDefined = [Block(0xC9...0xC9, seconds: 0xA1...0xFE), Block(0xFE...0xFE)]
        case "euc-cn":
            self.form = .halves(longer: [:], hasLetters: false)
            self.signs = [Pair(0xA3, second: 0xC0)]
            self.userDefined = Self.chinese
        case "gb2312", "gbk", "gb18030":
            self.form = .pairs(firsts: [0x81...0xFE], singles: nil)
            self.signs = [Pair(0xA3, second: 0xC0), Pair(0xA9, second: 0x88)]
            self.userDefined = Self.chinese
        case "big5", "big5-hkscs":
            self.form = .pairs(firsts: [0x81...0xFE], singles: nil)
            self.signs = [Pair(0xA2, second: 0x49), Pair(0xA2, second: 0x4E)]
            // Big5-HKSCS assigns these blocks.
            if name == "big5" {
                self.userDefined = [
                    Block(0x81...0xA0), Block(0xC6...0xC6, seconds: 0xA1...0xFE),
                    Block(0xC7...0xC8),
                    Block(0xFA...0xFE),
                ]
            }
        case "shift_jis", "windows-31j":
            self.form = .pairs(firsts: [0x81...0x9F, 0xE0...0xFC], singles: 0xA1...0xDF)
            self.signs = [Pair(0x81, second: 0x97)]
            self.userDefined = [Block(0xF0...0xF9, seconds: 0x40...0xFC)]
        default:
            return nil
        }
    }

    private static let chinese = [
        Block(0xA1...0xA7, seconds: 0x40...0xA0), Block(0xAA...0xAF, seconds: 0xA1...0xFE),
        Block(0xD7...0xD7, seconds: 0xFA...0xFE), Block(0xF8...0xFD, seconds: 0xA1...0xFE),
        Block(0xFE...0xFE),
    ]

    /// Decodes octets.
    /// - Throws: `charset` for an incomplete or undefined character; `atSign`, `invisible`.
    func decode(_ octets: [UInt8]) throws(AddressFault) -> [Unicode.Scalar] {
        guard !self.isMisread(octets) else { throw .atSign }
        var text: [Unicode.Scalar] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            guard octet >= 0x80 else {
                text.append(Unicode.Scalar(octet))
                continue
            }
            text.append(Placeholder.unknown)
            if case .pairs(_, let singles?) = self.form, singles.contains(octet) { continue }
            let character = try self.character(octet, rest: &rest)
            guard !self.signs.contains(character) else { throw .atSign }
            guard !self.hidden.contains(character) else { throw .invisible }
            guard !self.userDefined.contains(where: { $0.contains(character) }) else {
                throw .charset
            }
            if character == self.blank { text[text.count - 1] = Placeholder.wideBlank }
            // For an undefined character some readers show a second octet `@` by itself; between
            // letters it could form an address.
            if character.second == UInt8(ascii: "@") {
                let isBehindText = text.dropLast().last.map { Self.isShown($0) } ?? false
                if isBehindText, rest.first.map({ Self.isShown(Unicode.Scalar($0)) }) ?? false {
                    text.append("@")
                }
            }
        }
        return text
    }

    /// Reads the rest of a character, and returns its first and last octet.
    private func character(
        _ first: UInt8,
        rest: inout ArraySlice<UInt8>
    ) throws(AddressFault) -> Pair {
        switch self.form {
        case .halves(let longer, let hasLetters):
            let count = longer[first] ?? 1
            let others = rest.prefix(count)
            rest = rest.dropFirst(count)
            let lowest: UInt8 = hasLetters ? 0x81 : 0xA1
            guard others.count == count, let last = others.last,
                longer[first] != nil || (lowest...0xFE).contains(first),
                others.allSatisfy({ (lowest...0xFE).contains($0) || hasLetters && $0.isLetter })
            else { throw .charset }
            return count == 1 ? Pair(first, second: last) : Pair(first, second: 0)
        case .pairs(let firsts, _):
            // A digit as second octet starts a character of four octets (GB 18030), which can be
            // any Unicode character.
            guard firsts.contains(where: { $0.contains(first) }), let second = rest.popFirst(),
                second >= 0x40, second != 0x7F, second != 0xFF
            else { throw .charset }
            return Pair(first, second: second)
        }
    }

    /// Whether a reader that splits characters elsewhere, because it does not know an earlier
    /// octet, sees an `@`. Only next to ASCII letters: halves of two adjacent characters may look
    /// like one by chance.
    private func isMisread(_ octets: [UInt8]) -> Bool {
        var isBehindText = false
        var isSeen = false
        for (octet, next) in zip(octets, octets.dropFirst() + [0]) {
            if octet < 0x80 {
                isBehindText = Self.isShown(Unicode.Scalar(octet))
                if isSeen, isBehindText { return true }
                isSeen = false
            } else if self.signs.contains(Pair(octet, second: next)) {
                if isBehindText { return true }
                isSeen = true
            }
        }
        return false
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value > 0x20 && scalar.value < 0x7F
    }
}

/// ISO-2022-JP: escape sequences select the character set of the following octets (RFC 1468).
enum EscapedCharset {
    /// The fullwidth `@` in JIS X 0208.
    private static let sign = DoubleOctets.Pair(0x21, second: 0x77)

    /// Decodes octets. `ESC ( B` and `ESC ( J` select ASCII, `ESC $ …` characters of two octets.
    /// Each encoded word starts and ends in ASCII.
    /// - Throws: `charset`, `atSign`.
    static func decode(_ octets: [UInt8]) throws(AddressFault) -> [Unicode.Scalar] {
        var text: [Unicode.Scalar] = []
        var rest = octets[...]
        var isASCII = true
        while let octet = rest.popFirst() {
            guard octet != 0x1B else {
                isASCII = try self.escape(&rest)
                continue
            }
            guard octet < 0x80 else { throw .charset }
            guard !isASCII else {
                text.append(Unicode.Scalar(octet))
                continue
            }
            // Rows from 0x75 on are user-defined.
            guard let second = rest.popFirst(), (0x21...0x74).contains(octet),
                (0x21...0x7E).contains(second)
            else { throw .charset }
            guard DoubleOctets.Pair(octet, second: second) != self.sign else { throw .atSign }
            let isBlank = octet == 0x21 && second == 0x21
            text.append(isBlank ? Placeholder.wideBlank : Placeholder.unknown)
        }
        guard isASCII else { throw .charset }
        return text
    }

    /// Reads an escape sequence.
    /// - Returns: whether ASCII follows.
    private static func escape(
        _ rest: inout ArraySlice<UInt8>
    ) throws(AddressFault) -> Bool {
        if rest.starts(with: "(B".utf8) || rest.starts(with: "(J".utf8) {
            rest = rest.dropFirst(2)
            return true
        }
        if rest.starts(with: "$@".utf8) || rest.starts(with: "$B".utf8) {
            rest = rest.dropFirst(2)
            return false
        }
        guard rest.starts(with: "$(D".utf8) else { throw .charset }
        rest = rest.dropFirst(3)
        return false
    }
}
