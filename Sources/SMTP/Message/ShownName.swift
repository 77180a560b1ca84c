/// What a mail program may show beside an address: the display name and the comments.
///
/// Programs differ: some show comments and some do not, and some put a blank between two words where others
/// put none. A name is accepted if each of these readings is harmless.
struct ShownName {
    private enum Part {
        /// An atom, or the contents of a quoted string. Programs decode both, though RFC 2047 §5 has no
        /// encoded word in quotes.
        case word([UInt8])
        /// With the parentheses of comments inside, without its own.
        case comment([UInt8])
        case blank
    }

    private struct Reading {
        /// Where comments are shown.
        enum Comments: CaseIterable {
            case inPlace
            /// Behind the display name, as Python's `parseaddr` puts them.
            case behind
            case nowhere
        }

        var comments: Comments
        /// Whether a blank stands between words that follow each other, and between encoded words.
        var isSpaced: Bool
    }

    private static let readings = Reading.Comments.allCases.flatMap { comments in
        [false, true].map { Reading(comments: comments, isSpaced: $0) }
    }

    private var parts: [Part] = []

    /// Whether nothing is shown but the address.
    var isEmpty: Bool {
        self.parts.allSatisfy { part in
            switch part {
            case .word(let octets), .comment(let octets): octets.allSatisfy(\.isBlank)
            case .blank: true
            }
        }
    }

    mutating func appendWord(_ octets: some Sequence<UInt8>) {
        self.parts.append(.word(Array(octets)))
    }

    mutating func appendComment(_ octets: [UInt8]) {
        self.parts.append(.comment(octets))
    }

    mutating func appendBlank() {
        self.parts.append(.blank)
    }

    /// Refuses a name that some program shows as another's address, or with what is not seen.
    ///
    /// - Parameter own: the addresses that it may show, with ASCII in lower case.
    func check(own: [[UInt8]]) throws(AddressParser.Fault) {
        guard !self.isEmpty else { return }
        for reading in Self.readings {
            let text = try self.text(reading)
            if let fault = HiddenCharacters.fault(in: text) { throw fault }
            guard !text.contains(where: { $0 == "<" || $0 == ">" }) else { throw .angleBracket }
            // A program that decodes twice would show something else.
            guard !zip(text, text.dropFirst()).contains(where: { $0 == "=" && $1 == "?" }) else {
                throw .encodedWord
            }
            guard !ShownAddress.isForeign(in: text, own: own) else { throw .foreignAddress }
        }
    }

    private func text(_ reading: Reading) throws(AddressParser.Fault) -> [Unicode.Scalar] {
        var text: [Unicode.Scalar] = []
        var wasEncoded = false
        for word in self.octets(reading).split(whereSeparator: \.isBlank) {
            let decoded = try EncodedWord.decode(word)
            // The blank between two encoded words is not shown (RFC 2047 §6.2).
            let isJoined = wasEncoded && decoded != nil && !reading.isSpaced
            if !text.isEmpty, !isJoined { text.append(" ") }
            text += decoded ?? Array(String(decoding: word, as: UTF8.self).unicodeScalars)
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
                let text = Array(" ( ".utf8) + comment + Array(" ) ".utf8)
                switch reading.comments {
                case .inPlace: octets += text
                case .behind: comments += text
                case .nowhere: break
                }
            case .blank:
                octets.append(0x20)
            }
            if reading.isSpaced { octets.append(0x20) }
        }
        return octets + comments
    }
}
