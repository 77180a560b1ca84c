/// The text that a mail program may show with an address: the display name and the comments.
///
/// Programs differ: some show comments, and some put a space between two words where others do not.
/// A name is accepted only if each of these readings is harmless.
struct ShownName {
    /// A part of the mailbox's text.
    private enum Part {
        /// An atom, or the contents of a quoted string. Programs decode encoded words in both,
        /// although RFC 2047 §5 forbids them in quoted strings.
        case word([UInt8])
        /// A comment with its nested parentheses, without its own.
        case comment([UInt8])
        /// White space outside words and comments.
        case blank(UInt8)
        case address
    }

    /// One way to show the name.
    private struct Reading {
        /// The place of comments.
        enum Comments: CaseIterable {
            case inPlace
            /// After the display name, combined, as Python's `parseaddr` shows them.
            case behind
            case nowhere
        }

        /// The place of comments.
        var comments: Comments
        /// Whether a space is shown between adjacent words, and between encoded words.
        var isSpaced: Bool
    }

    private static let readings = Reading.Comments.allCases.flatMap { comments in
        [false, true].map { Reading(comments: comments, isSpaced: $0) }
    }

    private var parts: [Part] = []

    /// Whether only the address is shown.
    var isEmpty: Bool {
        self.parts.allSatisfy { part in
            switch part {
            case .word(let octets), .comment(let octets): octets.allSatisfy(\.isBlank)
            case .blank, .address: true
            }
        }
    }

    mutating func appendWord(_ octets: some Sequence<UInt8>) {
        self.parts.append(.word(Array(octets)))
    }

    mutating func appendComment(_ octets: [UInt8]) {
        self.parts.append(.comment(octets))
    }

    mutating func appendBlank(_ octet: UInt8) {
        self.parts.append(.blank(octet))
    }

    mutating func appendAddress() {
        self.parts.append(.address)
    }

    /// Refuses a name that a program could show as another address or with invisible characters.
    ///
    /// - Parameters:
    ///   - address: the address of the mailbox, which the name may contain in angle brackets.
    ///   - own: other addresses that the name may contain, ASCII letters in lower case.
    func check(beside address: [UInt8], own: [[UInt8]] = []) throws(AddressFault) {
        if !self.isPlain { try self.checkReadings(beside: address, own: own) }
    }

    /// Whether the name has ASCII letters, digits, some punctuation and single spaces only. Nearly
    /// every name has. All readings show such a name as it is, and none of its characters can be part
    /// of an address, an encoded word or a comment.
    private var isPlain: Bool {
        var wasSpace = false
        for part in self.parts {
            switch part {
            case .word(let octets):
                for octet in octets {
                    guard Self.isPlain(octet), !wasSpace || octet != 0x20 else { return false }
                    wasSpace = octet == 0x20
                }
            case .blank(let octet):
                guard octet == 0x20, !wasSpace else { return false }
                wasSpace = true
            case .address:
                break
            case .comment:
                return false
            }
        }
        return true
    }

    private static func isPlain(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x20, UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "'"), UInt8(ascii: "-"): true
        default: octet.isLetter || octet.isDigit
        }
    }

    /// Checks each reading of the name, like ``check(beside:own:)``.
    func checkReadings(beside address: [UInt8], own: [[UInt8]] = []) throws(AddressFault) {
        guard try !self.isPadded() else { throw .padding }
        guard !self.isEmpty else { return }
        let address = address.map(\.asciiLowercased)
        var checked: [[Unicode.Scalar]] = []
        for reading in Self.readings {
            let shown = try self.text(reading)
            guard !checked.contains(shown) else { continue }
            checked.append(shown)
            if let fault = HiddenCharacters.fault(in: shown) { throw fault }
            let text = Self.withoutBrackets(shown, around: address)
            guard !text.contains(where: { $0 == "<" || $0 == ">" }) else { throw .angleBracket }
            // A program that decodes twice would show another text.
            guard !zip(text, text.dropFirst()).contains(where: { $0 == "=" && $1 == "?" }) else {
                throw .encodedWord
            }
            guard !ShownAddress.isForeign(in: text, own: own + [address]) else {
                throw .foreignAddress
            }
        }
    }

    /// Replaces the angle brackets of `<anna@kanzlei.example>` by spaces: a program that reads the
    /// address from them reads the right one.
    private static func withoutBrackets(
        _ text: [Unicode.Scalar],
        around address: [UInt8]
    ) -> [Unicode.Scalar] {
        // An address that contains such a bracket cannot be shown in them; skip the comparison.
        guard text.contains("<"), !address.contains(where: { $0 == 0x3C || $0 == 0x3E }) else {
            return text
        }
        let address = Array(String(decoding: address, as: UTF8.self).unicodeScalars)
        var text = text
        for opening in text.indices where text[opening] == "<" {
            let rest = text[(opening + 1)...]
            let closing = opening + 1 + address.count
            guard closing < text.count, text[closing] == ">",
                zip(rest, address).allSatisfy({ self.lowercased($0) == $1 })
            else { continue }
            text[opening] = " "
            text[closing] = " "
        }
        return text
    }

    private static func lowercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        scalar.isASCII ? Unicode.Scalar(UInt8(ascii: scalar).asciiLowercased) : scalar
    }

    // MARK: - Texts

    /// Whether spaces move later text out of sight. Spaces around the whole mailbox are not shown.
    private func isPadded() throws(AddressFault) -> Bool {
        var shown = ShownBlanks()
        var parts = self.parts[...]
        while case .blank = parts.first { parts.removeFirst() }
        while case .blank = parts.last { parts.removeLast() }
        for part in parts {
            switch part {
            case .blank(let octet): shown.append(Unicode.Scalar(octet))
            case .address: shown.end()
            case .word(let octets), .comment(let octets):
                try Self.measure(octets, shown: &shown)
            }
        }
        return shown.isPadding
    }

    private static func measure(
        _ octets: [UInt8],
        shown: inout ShownBlanks
    ) throws(AddressFault) {
        var rest = octets[...]
        while let octet = rest.first {
            if octet.isBlank {
                shown.append(Unicode.Scalar(octet))
                rest.removeFirst()
                continue
            }
            let word = rest.prefix { !$0.isBlank }
            rest = rest.dropFirst(word.count)
            let decoded = try EncodedWord.decode(word)
            let text = if let decoded { decoded } else { try Charset.text(utf8: word) }
            for scalar in text { shown.append(scalar) }
        }
    }

    private func text(_ reading: Reading) throws(AddressFault) -> [Unicode.Scalar] {
        var text: [Unicode.Scalar] = []
        var wasEncoded = false
        for word in self.octets(reading).split(whereSeparator: \.isBlank) {
            let decoded = try EncodedWord.decode(word)
            // The space between two encoded words is not shown (RFC 2047 §6.2).
            let isJoined = wasEncoded && decoded != nil && !reading.isSpaced
            if !text.isEmpty, !isJoined { text.append(" ") }
            if let decoded { text += decoded } else { text += try Charset.text(utf8: word) }
            wasEncoded = decoded != nil
        }
        return text
    }

    private func octets(_ reading: Reading) -> [UInt8] {
        var octets: [UInt8] = []
        var comments: [UInt8] = []
        for part in self.parts {
            switch part {
            case .word(let word):
                octets += word
            case .comment(let comment):
                switch reading.comments {
                case .inPlace: octets += Self.inParentheses(comment)
                case .behind: comments += comment + [0x20]
                case .nowhere: break
                }
            case .blank(let octet):
                octets.append(octet)
            case .address:
                continue
            }
            if reading.isSpaced { octets.append(0x20) }
        }
        return comments.isEmpty ? octets : octets + Self.inParentheses(comments)
    }

    private static func inParentheses(_ comment: [UInt8]) -> [UInt8] {
        Array(" ( ".utf8) + comment + Array(" ) ".utf8)
    }
}
