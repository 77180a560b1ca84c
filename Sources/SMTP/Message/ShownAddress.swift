/// The search for an address in the text of a name, as a person would read it: a local part, an at
/// sign, and a domain with a dot. `Tickets@Kanzlei` and `Anna (@anna)` are no addresses.
///
/// Spaces, commas, semicolons, colons, quotes, brackets and comments around the sign and around a
/// dot of the domain are ignored: `bob, @ kanzlei (.) example` is an address. Characters that look
/// like the sign or a dot count as such. Other look-alike characters are not recognized.
struct ShownAddress {
    private static let sign: Unicode.Scalar = "@"
    private static let dot: Unicode.Scalar = "."
    /// Abbreviations with a dot and a space after them: `Anna @ St. Gallen`. The list is closed,
    /// because any other word could be someone's domain.
    private static let titles: Set<[UInt8]> = Set(
        ["st", "ste", "dr", "prof", "mag", "ing", "mt", "ft"].map { Array($0.utf8) }
    )

    /// The role of a character in an address.
    private enum Kind {
        case letter
        /// Part of an address unless a space or separator is next to it: a hyphen, an apostrophe.
        case punctuation
        /// Not part of an address: a comma, a bracket.
        case separator
        case blank
        case dot
        case sign
    }

    /// The domain after a sign.
    private struct Domain {
        /// From its first letter to its last; a dot among spaces and separators is one dot.
        var text: [Unicode.Scalar] = []
        /// Whether it follows the sign directly and contains no spaces or separators.
        var isWhole: Bool
        /// The offset after its last letter.
        var end: Int
    }

    private let text: [Unicode.Scalar]
    private let kinds: [Kind]

    private init(_ text: [Unicode.Scalar]) {
        self.text = Self.normalized(text)
        self.kinds = self.text.map(Self.kind)
    }

    /// Whether a text shows an address other than the given ones, with or without its comments.
    ///
    /// - Parameter own: UTF-8 octets with ASCII letters in lower case.
    static func isForeign(in text: [Unicode.Scalar], own: [[UInt8]]) -> Bool {
        guard text.contains(where: { $0 == self.sign || $0.value == 0xFF20 || $0.value == 0xFE6B })
        else { return false }
        return ShownAddress(text).isForeign(own)
            || text.contains("(") && ShownAddress(self.withoutComments(text)).isForeign(own)
    }

    private func isForeign(_ own: [[UInt8]]) -> Bool {
        self.kinds.indices.contains { self.kinds[$0] == .sign && self.isForeign(at: $0, own: own) }
    }

    // MARK: - Characters

    /// Normalizes signs, dots and spaces, and removes spaces that may have no width.
    private static func normalized(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var normalized: [Unicode.Scalar] = []
        for (index, scalar) in text.enumerated() {
            switch scalar.value {
            case 0xFF20, 0xFE6B: normalized.append(self.sign)
            // Between spaces it separates words: `Anna @ Kanzlei · Berlin`.
            case 0xB7, 0x387, 0x2027, 0x2219, 0x22C5:
                let isApart =
                    index > 0 && self.isBlank(text[index - 1])
                    && index + 1 < text.count && self.isBlank(text[index + 1])
                normalized.append(isApart ? scalar : self.dot)
            case 0x2E, 0x701, 0x702, 0x2024, 0x3002, 0xA4F8, 0xA60E, 0xFE12, 0xFE52, 0xFF0E, 0xFF61,
                0x10A50:
                normalized.append(self.dot)
            case 0x1680, 0x2000...0x200A, 0x202F, 0x205F: break
            default: normalized.append(self.isBlank(scalar) ? " " : scalar)
            }
        }
        return normalized
    }

    /// Removes text in parentheses, which some programs do not show.
    private static func withoutComments(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rest: [Unicode.Scalar] = []
        var openings: [Int] = []
        for scalar in text {
            if scalar == ")", let opening = openings.popLast() {
                rest.removeLast(rest.count - opening)
                continue
            }
            if scalar == "(" { openings.append(rest.count) }
            rest.append(scalar)
        }
        return rest
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? scalar == " " || scalar == "\t" : scalar.properties.isWhitespace
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar {
        case " ": return .blank
        case Self.sign: return .sign
        case Self.dot: return .dot
        case ",", ";", ":", "\"", "<", ">", "(", ")", "[", "]", "{", "}": return .separator
        case "a"..."z", "A"..."Z", "0"..."9": return .letter
        default: break
        }
        switch scalar.properties.generalCategory {
        case .openPunctuation, .closePunctuation: return .separator
        case .connectorPunctuation, .dashPunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return .punctuation
        default:
            return .letter
        }
    }

    private static func isOpening(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "<" || scalar.properties.generalCategory == .openPunctuation
    }

    private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ">" || scalar.properties.generalCategory == .closePunctuation
    }

    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar == "'" || scalar == "`" }
        switch scalar.properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: return true
        default: return false
        }
    }

    // MARK: - A sign

    private func isForeign(at sign: Int, own: [[UInt8]]) -> Bool {
        // Of adjacent signs only the last has a domain; it skips the others backwards.
        let domain = self.domain(behind: sign)
        guard Self.hasDot(domain.text), !self.isHandle(at: sign, domain: domain) else {
            return false
        }
        let local = self.local(before: sign)
        guard !local.isEmpty else { return false }
        // `bob(anna)@…` and `bob@anna@…` are not the user's own address.
        guard self.kinds[local.endIndex..<sign].allSatisfy({ $0 == .blank }),
            !self.isBehindSign(local.startIndex), !self.isBeforeSign(domain.end)
        else { return true }
        let bare = self.trimmed(local)
        return ![local, bare].contains { range in
            own.contains(Self.octets(Array(self.text[range]) + [Self.sign] + domain.text))
        }
    }

    /// The local part before a sign, skipping spaces, separators and quotes between: `"bob" @`.
    private func local(before sign: Int) -> Range<Int> {
        var end = sign
        while end > 0, self.isPassedOver(end - 1) { end -= 1 }
        var start = end
        while start > 0, self.isPart(start - 1) { start -= 1 }
        return start..<end
    }

    private func isPassedOver(_ index: Int) -> Bool {
        switch self.kinds[index] {
        case .blank, .separator, .sign: true
        case .punctuation: Self.isQuote(self.text[index])
        case .letter, .dot: false
        }
    }

    private func isPart(_ index: Int) -> Bool {
        switch self.kinds[index] {
        case .letter, .punctuation, .dot: true
        case .blank, .separator, .sign: false
        }
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        let letters = self.kinds[range]
        guard let first = letters.firstIndex(of: .letter),
            let last = letters.lastIndex(of: .letter)
        else { return range.lowerBound..<range.lowerBound }
        return first..<last + 1
    }

    private func isBehindSign(_ index: Int) -> Bool {
        self.kinds[..<index].last { $0 != .blank && $0 != .separator } == .sign
    }

    private func isBeforeSign(_ index: Int) -> Bool {
        self.kinds[index...].first { $0 == .sign || $0 == .letter || $0 == .blank } == .sign
    }

    /// Whether the sign starts a social network handle after a space: `(@anna.example)`, without a
    /// local part.
    private func isHandle(at sign: Int, domain: Domain) -> Bool {
        let before = self.kinds[..<sign].lastIndex { $0 != .blank } ?? 0
        guard domain.isWhole, before < sign, Self.isOpening(self.text[before]),
            before == 0 || self.kinds[before - 1] == .blank,
            let behind = self.kinds[domain.end...].first(where: { $0 != .blank }),
            behind == .separator
        else { return false }
        return self.text[domain.end...].first { $0 != " " }.map(Self.isClosing) ?? false
    }

    // MARK: - Domains

    private func domain(behind sign: Int) -> Domain {
        var index = self.letter(from: sign + 1)
        var domain = Domain(isWhole: index == sign + 1, end: index)
        while index < self.text.count, self.kinds[index] != .sign {
            guard self.kinds[index] != .letter else {
                domain.text.append(self.text[index])
                index += 1
                domain.end = index
                continue
            }
            let next = self.letter(from: index)
            let run = self.kinds[index..<next]
            let isBroken = run.contains(.blank) || run.contains(.separator)
            guard next < self.text.count, self.kinds[next] != .sign,
                !isBroken || run.contains(.dot)
            else { break }
            if isBroken {
                domain.isWhole = false
                // The following text may be a separate domain.
                let isProse = run.elementsEqual([.dot, .blank]) && Self.isTitle(domain.text)
                if isProse { domain.text = [] } else { domain.text.append(Self.dot) }
            } else {
                domain.text += self.text[index..<next]
            }
            index = next
        }
        return domain
    }

    /// The offset of the next letter or sign.
    private func letter(from index: Int) -> Int {
        self.kinds[index...].firstIndex { $0 == .letter || $0 == .sign } ?? self.kinds.endIndex
    }

    private static func isTitle(_ text: [Unicode.Scalar]) -> Bool {
        text.count <= 4 && self.titles.contains(self.octets(text))
    }

    /// Whether a domain contains a dot, or a placeholder that may be one.
    private static func hasDot(_ domain: [Unicode.Scalar]) -> Bool {
        guard !domain.contains(self.dot) else { return true }
        var rest = domain[...]
        func isEnd(_ scalar: Unicode.Scalar) -> Bool {
            scalar == Placeholder.unknown || self.kind(of: scalar) == .punctuation
        }
        rest = rest.drop(while: isEnd)
        while let last = rest.last, isEnd(last) { rest.removeLast() }
        return rest.contains(Placeholder.unknown)
    }

    private static func octets(_ text: [Unicode.Scalar]) -> [UInt8] {
        var octets: [UInt8] = []
        for scalar in text { octets += UTF8.encode(scalar).map(Array.init) ?? [] }
        return octets.map(\.asciiLowercased)
    }
}
