/// Measures the blanks of a name as they are shown.
///
/// With hundreds of them a name fills a line, and the address behind it is out of sight.
struct ShownBlanks {
    /// Columns of blanks in a row. A fold that aligns a line below the text of `Resent-Sender: ` has 15, one
    /// with two tabs 16, and a blank may stand on either side of it.
    private static let maximumRun = 24
    /// Columns of all blanks of a name that are more than one between two words: seven folds with a tab.
    private static let maximumExcess = 64

    private var run = 0
    private var excess = 0

    /// Whether the blanks so far are more than a name needs.
    private(set) var isPadding = false

    /// - Parameter scalar: the next character of the name.
    mutating func append(_ scalar: Unicode.Scalar) {
        guard let columns = Self.columns(scalar) else { return self.end() }
        self.excess += self.run == 0 ? columns - 1 : columns
        self.run += columns
        if self.run > Self.maximumRun || self.excess > Self.maximumExcess { self.isPadding = true }
    }

    /// Something is shown here that ends a row of blanks.
    mutating func end() {
        self.run = 0
    }

    /// The width of a blank; nil for what is none.
    private static func columns(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar.value {
        case 0x09: 8
        case 0x20: 1
        case 0x3000: 2
        default: !scalar.isASCII && scalar.properties.isWhitespace ? 1 : nil
        }
    }
}
