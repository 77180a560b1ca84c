/// A measure of the visible spaces of a name.
///
/// With hundreds of spaces a name fills a line and moves the address out of sight.
struct ShownBlanks {
    /// The most adjacent columns of spaces. A fold that aligns with the text of `Resent-Sender: `
    /// has 15, one with two tabs 16, and a space may be on either side of it.
    private static let maximumRun = 24
    /// The most columns beyond one space between words: seven folds with a tab.
    private static let maximumExcess = 64

    private var run = 0
    private var excess = 0

    /// Whether the name has more spaces than it needs.
    private(set) var isPadding = false

    /// Adds the next character of the name.
    mutating func append(_ scalar: Unicode.Scalar) {
        guard let columns = Self.columns(scalar) else { return self.end() }
        self.excess += self.run == 0 ? columns - 1 : columns
        self.run += columns
        if self.run > Self.maximumRun || self.excess > Self.maximumExcess { self.isPadding = true }
    }

    /// Ends a run of spaces, because something else is shown.
    mutating func end() {
        self.run = 0
    }

    /// The width of a space in columns; nil for other characters.
    private static func columns(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar.value {
        case 0x09: 8
        case 0x20: 1
        case 0x3000: 2
        default: !scalar.isASCII && scalar.properties.isWhitespace ? 1 : nil
        }
    }
}
