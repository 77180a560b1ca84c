import Testing

@testable import SMTP

/// Blanks that push an address out of sight, in columns.
@Suite struct ShownBlanksTests {
    private static func isPadding(_ text: String) -> Bool {
        var blanks = ShownBlanks()
        for scalar in text.unicodeScalars {
            if scalar == "|" { blanks.end() } else { blanks.append(scalar) }
        }
        return blanks.isPadding
    }

    private static func blanks(_ count: Int, _ blank: String = " ") -> String {
        String(repeating: blank, count: count)
    }

    @Test func `a row of blanks has twenty-four columns`() {
        let rows: [(String, Bool)] = [
            ("", false), ("a", false), (Self.blanks(24), false), (Self.blanks(25), true),
            ("a\(Self.blanks(24))b", false), ("a\(Self.blanks(25))b", true),
            (Self.blanks(3, "\t"), false), (Self.blanks(3, "\t") + " ", true),
            (Self.blanks(12, "\u{3000}"), false), (Self.blanks(13, "\u{3000}"), true),
            (Self.blanks(24, "\u{2003}"), false), (Self.blanks(25, "\u{2003}"), true),
            (Self.blanks(24, "\u{A0}"), false), (Self.blanks(25, "\u{A0}"), true),
            ("\t\t" + Self.blanks(8), false), ("\t\t" + Self.blanks(9), true),
            // What is shown between ends a row; the address does, too.
            (Self.blanks(20) + "a" + Self.blanks(20), false),
            (Self.blanks(20) + "|" + Self.blanks(20), false),
            (Self.blanks(30, "\u{200B}"), false),
        ]
        for (text, isPadding) in rows {
            #expect(Self.isPadding(text) == isPadding, "\(text.debugDescription)")
        }
    }

    @Test func `all rows together have sixty-four columns more than one each`() {
        // Two blanks between words are one more than needed.
        func words(_ count: Int, _ blank: String) -> String {
            Array(repeating: "a", count: count + 1).joined(separator: blank)
        }
        #expect(!Self.isPadding(words(1_000, " ")))
        #expect(!Self.isPadding(words(64, "  ")) && Self.isPadding(words(65, "  ")))
        #expect(!Self.isPadding(words(9, "\t")) && Self.isPadding(words(10, "\t")))
        #expect(!Self.isPadding(words(32, "   ")) && Self.isPadding(words(33, "   ")))
    }
}
