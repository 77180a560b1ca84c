/// A template as its octets and placeholders.
struct TemplatePieces: Equatable, Sendable {
    enum Piece: Equatable, Sendable {
        case octet(UInt8)
        case placeholder(DirectoryPlaceholder)
    }

    var pieces: [Piece]

    /// Parses a text such as `(mail={login})`. A brace is never part of a value: `\7b` is.
    /// - Throws: `failed` for another placeholder, an open brace or NUL.
    init(_ text: String) throws(DirectoryError) {
        self.pieces = []
        var rest = Substring(text)
        while let character = rest.first {
            switch character {
            case "{":
                guard let end = rest.firstIndex(of: "}"),
                    let placeholder = DirectoryPlaceholder(
                        rawValue: String(rest[rest.index(after: rest.startIndex)..<end])
                    )
                else {
                    let names = DirectoryPlaceholder.allCases.map { "{\($0.rawValue)}" }
                    throw .failed(
                        "an unknown placeholder; known are \(names.joined(separator: ", "))"
                    )
                }
                self.pieces.append(.placeholder(placeholder))
                rest = rest[rest.index(after: end)...]
            case "}":
                throw .failed("a closing brace without an opening one")
            case "\0":
                throw .failed("a NUL")
            default:
                self.pieces += String(character).utf8.map { .octet($0) }
                rest = rest.dropFirst()
            }
        }
    }

    /// The placeholders in use.
    var placeholders: Set<DirectoryPlaceholder> {
        Set(
            self.pieces.compactMap { piece in
                guard case .placeholder(let placeholder) = piece else { return nil }
                return placeholder
            }
        )
    }

    /// The text with values for the placeholders.
    /// - Returns: nil if the login lacks one of them.
    func filled(
        with login: DirectoryLogin,
        escape: (String.UTF8View) -> String
    ) -> String? {
        var octets: [UInt8] = []
        for piece in self.pieces {
            switch piece {
            case .octet(let octet):
                octets.append(octet)
            case .placeholder(let placeholder):
                guard let value = placeholder.value(of: login) else { return nil }
                octets += escape(value.utf8).utf8
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
