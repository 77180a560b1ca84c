/// A filter with placeholders in its values: `(&(objectClass=person)(mail={login}))`.
///
/// It is parsed when the configuration is read. A value for a placeholder cannot change its
/// structure.
package struct DirectoryFilterTemplate: Equatable, Sendable {
    private let pieces: TemplatePieces

    /// - Parameter text: a filter (RFC 4515) with placeholders of ``DirectoryPlaceholder``. Space
    ///   between its parts is ignored.
    /// - Throws: `failed` if it is not valid, or a placeholder is not in a value.
    package init(_ text: String) throws(DirectoryError) {
        do throws(DirectoryError) {
            var parser = FilterParser(try TemplatePieces(text))
            self.pieces = try parser.parse()
        } catch {
            throw .failed("the filter \(PeerText.printable(text.utf8)) is not valid: \(error)")
        }
    }

    /// The placeholders in use.
    package var placeholders: Set<DirectoryPlaceholder> { self.pieces.placeholders }

    /// The filter for a login.
    /// - Returns: nil if the login lacks a part, such as the domain.
    package func filter(for login: DirectoryLogin) -> String? {
        self.pieces.filled(with: login) { DirectoryFilter.escaped($0) }
    }
}

/// Reads a filter, and writes it without space between its parts.
private struct FilterParser {
    /// The deepest nesting: each level is a call.
    private static let maximumDepth = 20

    private var rest: ArraySlice<TemplatePieces.Piece>
    private var output: TemplatePieces

    init(_ pieces: TemplatePieces) {
        self.rest = pieces.pieces[...]
        self.output = pieces
        self.output.pieces = []
    }

    mutating func parse() throws(DirectoryError) -> TemplatePieces {
        try self.filter(depth: 0)
        self.skipSpace()
        guard self.rest.isEmpty else { throw .failed("text follows the filter") }
        return self.output
    }

    /// ```
    /// filter     = LPAREN filtercomp RPAREN
    /// filtercomp = and / or / not / item
    /// and        = AMPERSAND filterlist
    /// filterlist = 1*filter
    /// not        = EXCLAMATION filter
    /// ```
    private mutating func filter(depth: Int) throws(DirectoryError) {
        guard depth < Self.maximumDepth else {
            throw .failed("it nests deeper than \(Self.maximumDepth) levels")
        }
        self.skipSpace()
        try self.take("(", "an opening parenthesis is missing")
        self.skipSpace()
        switch self.octet {
        case UInt8(ascii: "&"), UInt8(ascii: "|"):
            self.keep()
            repeat {
                try self.filter(depth: depth + 1)
                self.skipSpace()
            } while self.octet == UInt8(ascii: "(")
        case UInt8(ascii: "!"):
            self.keep()
            try self.filter(depth: depth + 1)
            self.skipSpace()
        default:
            try self.item()
        }
        try self.take(")", "a closing parenthesis is missing, or a special character not escaped")
    }

    /// ```
    /// item       = simple / present / substring / extensible
    /// simple     = attr filtertype assertionvalue
    /// filtertype = equal / approx / greaterorequal / lessorequal
    /// extensible = ( attr [dnattrs] [matchingrule] COLON EQUALS assertionvalue )
    /// ```
    private mutating func item() throws(DirectoryError) {
        guard let first = self.octet, Self.isLetter(first) || Self.isDigit(first) else {
            throw .failed("an attribute is missing")
        }
        while let octet = self.octet, Self.isOfDescription(octet) { self.keep() }
        switch self.octet {
        case UInt8(ascii: ":"):
            while let octet = self.octet,
                Self.isOfDescription(octet) || octet == UInt8(ascii: ":")
            {
                self.keep()
            }
            guard self.output.pieces.last == .octet(UInt8(ascii: ":")) else {
                throw .failed("a matching rule does not end with a colon")
            }
        case UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "<"):
            self.keep()
        default:
            break
        }
        try self.take("=", "an equals sign is missing")
        try self.value()
    }

    /// ```
    /// valueencoding = 0*(normal / escaped)
    /// ```
    /// An asterisk is part of a substring assertion.
    private mutating func value() throws(DirectoryError) {
        while let piece = self.rest.first {
            switch piece {
            case .placeholder:
                self.keep()
            case .octet(UInt8(ascii: "(")), .octet(UInt8(ascii: ")")):
                return
            case .octet(UInt8(ascii: "\\")):
                self.keep()
                for _ in 0..<2 {
                    guard let digit = self.octet, Self.isHexadecimal(digit) else {
                        throw .failed("a backslash without two hexadecimal digits")
                    }
                    self.keep()
                }
            case .octet:
                self.keep()
            }
        }
    }

    // MARK: Octets

    /// The next octet; nil at the end and before a placeholder.
    private var octet: UInt8? {
        guard case .octet(let octet) = self.rest.first else { return nil }
        return octet
    }

    private mutating func keep() {
        self.output.pieces += self.rest.prefix(1)
        self.rest = self.rest.dropFirst()
    }

    private mutating func take(
        _ character: Unicode.Scalar,
        _ reason: String
    ) throws(DirectoryError) {
        guard self.octet == UInt8(ascii: character) else { throw .failed(reason) }
        self.keep()
    }

    private mutating func skipSpace() {
        while let octet = self.octet, [0x20, 0x09, 0x0A, 0x0D].contains(octet) {
            self.rest = self.rest.dropFirst()
        }
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
    }

    private static func isDigit(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
    }

    private static func isHexadecimal(_ octet: UInt8) -> Bool {
        self.isDigit(octet) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet | 0x20)
    }

    /// Whether an octet may be part of an attribute description or a matching rule.
    private static func isOfDescription(_ octet: UInt8) -> Bool {
        self.isLetter(octet) || self.isDigit(octet)
            || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ".")
            || octet == UInt8(ascii: ";") || octet == UInt8(ascii: "_")
    }
}
