/// A charset of encoded words that all mail programs decode alike.
///
/// UTF-8 is decoded completely. Of other charsets the gateway decodes only what the check of names
/// needs: ASCII, invisible characters, and `@` of another width.
struct Charset {
    private static let middleDot: Unicode.Scalar = "\u{B7}"
    private static let bulletOperator: Unicode.Scalar = "\u{2219}"
    /// The no-break space.
    private static let blank: Unicode.Scalar = "\u{A0}"

    /// Decodes UTF-8.
    ///
    /// - Throws: `notUTF8`; `unassigned` for the two private-use characters that serve as
    ///   placeholders.
    static func text(
        utf8 octets: some Collection<UInt8>
    ) throws(AddressFault)
        -> [Unicode.Scalar]
    {
        guard let text = String(validating: octets, as: UTF8.self) else { throw .notUTF8 }
        let scalars = Array(text.unicodeScalars)
        guard !scalars.contains(where: Placeholder.isOne) else { throw .unassigned }
        return scalars
    }

    /// The structure of a charset.
    private enum Kind {
        case utf8
        case ascii
        /// One octet for each character. Octets above 127 are visible letters, except the listed
        /// ones.
        ///
        /// - Parameters:
        ///   - latin: the octets with the meaning of ISO 8859-1, or of the same class.
        ///   - special: octets for invisible characters, spaces, and characters like a full stop.
        case single(latin: ClosedRange<UInt8>?, special: [UInt8: Unicode.Scalar])
        case double(DoubleOctets)
        case escapes
    }

    private let kind: Kind
    /// The undefined octets of a charset with one octet for each character.
    private let undefined: [ClosedRange<UInt8>]

    /// - Parameter name: the charset's name in any case (RFC 2047 §2). Only listed names are
    ///   accepted.
    init?(name: ArraySlice<UInt8>) {
        guard name.count <= 24, name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let name = String(decoding: name.map(\.asciiLowercased), as: UTF8.self)
        guard let kind = Self.kind(name) else { return nil }
        self.kind = kind
        self.undefined = UndefinedOctets.ranges(charset: name)
    }

    private static func kind(_ name: String) -> Kind? {
        switch name {
        case "utf-8", "utf8": return .utf8
        case "us-ascii", "ascii": return .ascii
        case "iso-2022-jp": return .escapes
        case "koi8-r", "koi8-u":
            return .single(
                latin: nil,
                special: [0x95: self.bulletOperator, 0x9A: self.blank, 0x9E: self.middleDot]
            )
        case "windows-874": return .single(latin: nil, special: [0xA0: self.blank])
        case "macintosh", "x-mac-roman", "x-mac-turkish":
            return .single(latin: nil, special: [0xCA: self.blank, 0xE1: self.middleDot])
        case "x-mac-ce", "x-mac-cyrillic":
            return .single(latin: nil, special: [0xCA: self.blank])
        case "x-mac-greek":
            return .single(
                latin: nil,
                special: [0xAF: self.middleDot, 0xCA: self.blank, 0xFF: "\u{AD}"]
            )
        case "tis-620", "iso-8859-11": return .single(latin: 0x80...0x9F, special: [:])
        case "iso-8859-8", "iso-8859-8-i":
            return .single(latin: 0x80...0xFF, special: [0xFD: "\u{200E}", 0xFE: "\u{200F}"])
        case "windows-1255", "cp1255":
            return .single(latin: 0xA0...0xFF, special: [0xFD: "\u{200E}", 0xFE: "\u{200F}"])
        case "windows-1256", "cp1256":
            return .single(
                latin: 0xA0...0xFF,
                special: [
                    0x9D: "\u{200C}", 0x9E: "\u{200D}", 0xFD: "\u{200E}", 0xFE: "\u{200F}",
                ]
            )
        default: break
        }
        if self.isoLatin.contains(name) { return .single(latin: 0x80...0xFF, special: [:]) }
        if self.windows.contains(name) { return .single(latin: 0xA0...0xFF, special: [:]) }
        return DoubleOctets(name: name).map(Kind.double)
    }

    private static let isoLatin: Set<String> = {
        let numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14, 15, 16]
        return Set(
            numbers.flatMap { ["iso-8859-\($0)", "iso8859-\($0)"] }
                + ["latin1", "latin2", "latin-9"]
        )
    }()

    private static let windows = Set(
        [1_250, 1_251, 1_252, 1_253, 1_254, 1_257, 1_258].flatMap { ["windows-\($0)", "cp\($0)"] }
    )

    /// Decodes octets.
    ///
    /// - Throws: `notUTF8`; `charset` for undefined octets, an incomplete character (RFC 2047 §5),
    ///   or a character that not all programs know in this charset; `invisible`, `atSign`,
    ///   `unassigned`.
    func decode(_ octets: [UInt8]) throws(AddressFault) -> [Unicode.Scalar] {
        switch self.kind {
        case .utf8:
            return try Self.text(utf8: octets)
        case .ascii:
            guard octets.allSatisfy({ $0 < 0x80 }) else { throw .charset }
            return octets.map { Unicode.Scalar($0) }
        case .single(let latin, let special):
            guard
                !octets.contains(where: { octet in self.undefined.contains { $0.contains(octet) } })
            else { throw .charset }
            return octets.map { octet in
                if octet < 0x80 { return Unicode.Scalar(octet) }
                if let scalar = special[octet] { return scalar }
                return latin?.contains(octet) ?? false ? Unicode.Scalar(octet) : Placeholder.letter
            }
        case .double(let charset):
            return try charset.decode(octets)
        case .escapes:
            return try EscapedCharset.decode(octets)
        }
    }
}
