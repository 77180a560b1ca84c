/// Finds what a person reads as an address in the text of a name: a local part, an at sign, and a domain
/// with a dot. `Tickets@Kanzlei` and `Anna (@anna)` are none.
///
/// Punctuation around the address and blanks around the sign are passed over, and characters that look like
/// the sign or the dot count as these. What resembles an address by other characters is not known.
struct ShownAddress {
    private static let sign: Unicode.Scalar = "@"
    private static let dot: Unicode.Scalar = "."

    private let text: [Unicode.Scalar]

    private init(_ text: [Unicode.Scalar]) {
        self.text = Self.normalized(text)
    }

    /// Whether a text shows an address other than these.
    ///
    /// - Parameter own: UTF-8 octets with ASCII in lower case.
    static func isForeign(in text: [Unicode.Scalar], own: [[UInt8]]) -> Bool {
        let shown = ShownAddress(text)
        return shown.text.indices.contains { index in
            shown.text[index] == self.sign && shown.isForeign(at: index, own)
        }
    }

    // MARK: - Characters

    /// Signs, dots and blanks in one form; spaces that may have no width, and a space before a dot that
    /// something follows, are left out.
    private static func normalized(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var normalized: [Unicode.Scalar] = []
        for (index, scalar) in text.enumerated() {
            switch scalar.value {
            case 0xFF20, 0xFE6B: normalized.append(self.sign)
            case 0x2E, 0xB7, 0x2024, 0x2027, 0x3002, 0xA4F8, 0xFE12, 0xFE52, 0xFF0E, 0xFF61:
                let next = index + 1 < text.count ? text[index + 1] : " "
                if !self.isBlank(next) {
                    while normalized.last == " " { normalized.removeLast() }
                }
                normalized.append(self.dot)
            case 0x1680, 0x2000...0x200A, 0x202F, 0x205F: break
            default: normalized.append(self.isBlank(scalar) ? " " : scalar)
            }
        }
        return normalized
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x09, 0xA0, 0x3000: true
        default: false
        }
    }

    private static func isOpening(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "<" || scalar.properties.generalCategory == .openPunctuation
    }

    private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ">" || scalar.properties.generalCategory == .closePunctuation
    }

    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar == "\"" || scalar == "'" || scalar == "`" }
        switch scalar.properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: return true
        default: return false
        }
    }

    /// Whether an address may go on with a character. An apostrophe stands in local parts.
    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", ",", ";", ":", "\"", "@": false
        default: !self.isOpening(scalar) && !self.isClosing(scalar)
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol,
            .currencySymbol, .modifierSymbol, .otherSymbol:
            true
        default:
            false
        }
    }

    private static func trimmed(
        _ text: ArraySlice<Unicode.Scalar>,
        _ isEnd: (Unicode.Scalar) -> Bool
    ) -> ArraySlice<Unicode.Scalar> {
        var text = text.drop(while: isEnd)
        while let last = text.last, isEnd(last) { text.removeLast() }
        return text
    }

    // MARK: - One sign

    private func isForeign(at sign: Int, _ own: [[UInt8]]) -> Bool {
        // Of several signs in a row only the last has a domain, and looks back over the others.
        let domain = self.domain(behind: sign)
        guard Self.hasDot(domain) else { return false }
        let local = self.local(before: sign)
        guard !local.isEmpty else { return false }
        // `bob@anna@…` is not one's own address.
        let isBeside =
            self.text[..<local.startIndex].last == Self.sign
            || self.text[domain.endIndex...].first(where: { !Self.isPunctuation($0) || $0 == "@" })
                == Self.sign
        guard !isBeside else { return true }
        return ![local, Self.trimmed(local, Self.isPunctuation)].contains { local in
            let address = Array(local) + [Self.sign] + Self.trimmed(domain, Self.isPunctuation)
            return own.contains(Self.octets(address))
        }
    }

    /// What stands before a sign, without what closes around it: `"bob" @`.
    private func local(before sign: Int) -> ArraySlice<Unicode.Scalar> {
        var rest = self.text[..<sign]
        let next = self.text[(sign + 1)...].first { $0 != " " }
        while let last = rest.last,
            last == " " || last == Self.sign || Self.isClosing(last) || Self.isQuote(last)
        {
            rest.removeLast()
        }
        // `bob (@) kanzlei.example`
        if let last = rest.last, Self.isOpening(last), next.map(Self.isClosing) ?? false {
            rest.removeLast()
            while rest.last == " " { rest.removeLast() }
        }
        let start = rest.lastIndex { !Self.isPart($0) }.map { $0 + 1 } ?? rest.startIndex
        return rest[start...]
    }

    private func domain(behind sign: Int) -> ArraySlice<Unicode.Scalar> {
        let rest = self.text[(sign + 1)...].drop {
            $0 == " " || Self.isOpening($0) || Self.isClosing($0) || Self.isQuote($0)
        }
        return rest.prefix(while: Self.isPart)
    }

    /// Whether there is a dot in a domain, or what may be one.
    private static func hasDot(_ domain: ArraySlice<Unicode.Scalar>) -> Bool {
        self.trimmed(domain, self.isPunctuation).contains(self.dot)
            || self.trimmed(domain) { self.isPunctuation($0) || $0 == Charset.unknown }
                .contains(Charset.unknown)
    }

    private static func octets(_ text: [Unicode.Scalar]) -> [UInt8] {
        var octets: [UInt8] = []
        for scalar in text { octets += UTF8.encode(scalar).map(Array.init) ?? [] }
        return octets.map(\.asciiLowercased)
    }
}
