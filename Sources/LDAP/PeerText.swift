/// Texts of a server, made safe for messages.
enum PeerText {
    /// The most characters of a server's text in a message.
    static let maximumCharacters = 200

    /// The text in printable form and short: a server must not write lines of its own into a log.
    static func printable(_ octets: some Sequence<UInt8>) -> String {
        // A scalar has at most four octets.
        let text = String(decoding: Array(octets.prefix(4 * self.maximumCharacters)), as: UTF8.self)
        var printable = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard printable.count < self.maximumCharacters else {
                return String(printable) + "..."
            }
            printable.append(self.isPrintable(scalar) ? scalar : "?")
        }
        return String(printable)
    }

    /// The text of a C string.
    static func printable(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        return self.printable(String(cString: text).utf8)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned, .spaceSeparator:
            false
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber,
            .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation,
            .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation,
            .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            true
        @unknown default:
            false
        }
    }
}
