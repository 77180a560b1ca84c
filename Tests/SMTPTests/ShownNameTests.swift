import SMTP
import Testing

/// Names that look like an address, contain hidden text, or only seem to.
@Suite struct ShownNameTests {
    typealias Fault = AddressFault

    /// Names with spaces, separators or comments within an address.
    static let broken: [(String, Fault?)] = [
        ("bob@kanzlei. example", .foreignAddress), ("bob @ kanzlei.example", .foreignAddress),
        ("bob @ kanzlei. example", .foreignAddress), ("bob@ kanzlei.example", .foreignAddress),
        ("bob @kanzlei.example", .foreignAddress), ("bob@kanzlei .example", .foreignAddress),
        ("bob@kanzlei . example", .foreignAddress), ("bob@kanzlei.\u{A0}example", .foreignAddress),
        ("bob@kanzlei.\texample", .foreignAddress),
        ("bob@kanzlei.\u{3000}example", .foreignAddress),
        ("bob@kanzlei.\u{2003}example", .foreignAddress),
        ("bob@kanzlei.\u{202F}example", .foreignAddress),
        ("bob@kanzlei.\u{1680}example", .foreignAddress),
        ("bob\u{A0}@kanzlei.example", .foreignAddress),
        ("bob@\u{3000}kanzlei.example", .foreignAddress),
        ("bob\u{2003}@\u{2003}kanzlei\u{2003}.\u{2003}example", .foreignAddress),
        ("bob,@kanzlei.example", .foreignAddress), ("bob;@kanzlei.example", .foreignAddress),
        ("bob:@kanzlei.example", .foreignAddress), ("bob@,kanzlei.example", .foreignAddress),
        ("bob@: kanzlei.example", .foreignAddress), ("bob@kanzlei,.example", .foreignAddress),
        ("bob@kanzlei.;example", .foreignAddress), ("bob@kanzlei(.)example", .foreignAddress),
        ("bob@kanzlei[.]example", .foreignAddress), ("bob(@)kanzlei.example", .foreignAddress),
        ("bob@kanzlei(x).example", .foreignAddress), ("bob@kanzlei.(x)example", .foreignAddress),
        ("bob@(x)kanzlei.example", .foreignAddress), ("bob(x)@kanzlei.example", .foreignAddress),
        ("bob(anna)@kanzlei.example", .foreignAddress),
        ("bob(a(b)c)@kanzlei.example", .foreignAddress), ("bob@“kanzlei”.example", .foreignAddress),
        ("bob@dr. kanzlei.example", .foreignAddress),
        ("bob@kanzlei\u{A60E}example", .foreignAddress),
        ("bob@kanzlei\u{701}example", .foreignAddress),
        ("bob@kanzlei\u{2219}example", .foreignAddress),
        ("bob@kanzlei\u{387}example", .foreignAddress),
        ("anna@kanzlei. example.test", .foreignAddress),
        ("C@fe.Berlin", .foreignAddress),
        ("Anna @ Kanzlei", nil), ("Anna Beispiel (@anna)", nil), ("Tickets@Kanzlei", nil),
        ("Tickets@Kanzlei.", nil), ("Anna @ St. Gallen", nil), ("Tickets@St. Gallen", nil),
        ("Anna @ Prof. Dr. Beispiel", nil), ("Anna @ Kanzlei, Dr. Beispiel", nil),
        ("Anna @ Kanzlei · Wien", nil), ("Anna @ Kanzlei (Dr. Beispiel)", nil),
        ("Tickets@Kanzlei – Tel. 1", nil), ("Dr. Anna Beispiel @ Kanzlei", nil),
        ("Anna @ Kanzlei | www.kanzlei.example", nil), ("Anna Beispiel. anna@kanzlei.example", nil),
        ("Anna, anna@kanzlei.example", nil), ("Anna: anna @ kanzlei.example", nil),
    ]

    @Test(arguments: broken)
    func `an address with spaces, separators or comments is recognized`(name: String, fault: Fault?)
    {
        #expect(Self.fault(encoded: name) == fault)
        #expect(
            DisplayNameTests.fault(Array(" \"\(name)\" <\(Self.anna)>".utf8), isInternational: true)
                == fault
        )
    }

    private static let anna = "anna@kanzlei.example"

    /// A name as an encoded word.
    private static func fault(encoded name: String) -> Fault? {
        let word = name.utf8.map(Self.encoded)
        let field = " =?utf-8?Q?\(word.joined())?= <\(Self.anna)>"
        return DisplayNameTests.fault(Array(field.utf8), isInternational: false)
    }

    /// The "Q" encoding.
    private static func encoded(_ octet: UInt8) -> String {
        let digits = String(octet, radix: 16, uppercase: true)
        return (octet < 16 ? "=0" : "=") + digits
    }

    /// Characters in a name, alone and next to letters.
    static let characters: [(String, Fault?)] = [
        ("\u{E000}", .unassigned), ("\u{E001}", .unassigned), ("\u{F8FF}", .unassigned),
        ("\u{F0000}", .unassigned), ("\u{10FFFD}", .unassigned), (Self.code(0xFFFE), .unassigned),
        (Self.code(0xFDD0), .unassigned), (Self.code(0x1FFFF), .unassigned),
        (Self.code(0x10FFFF), .unassigned),
        ("\u{378}", .unassigned), ("\u{FFFC}", .invisible), ("\u{1D159}", .invisible),
        ("\u{2800}", .invisible), ("\u{3164}", .invisible), ("\u{FFA0}", .invisible),
        ("\u{115F}", .invisible), ("\u{17B4}", .invisible), ("\u{180B}", .invisible),
        ("\u{180E}", .invisible), ("\u{2065}", .invisible), ("\u{FFF0}", .invisible),
        ("\u{FFF9}", .invisible), ("\u{1BCA0}", .invisible), ("\u{1D173}", .invisible),
        ("\u{13441}", .invisible), ("\u{16FE4}", .invisible), ("\u{2D7F}", .invisible),
        ("\u{E0061}", .invisible), ("\u{E0100}", .invisible), ("\u{E007F}", .invisible),
        // Visible emoji: the flag of a subdivision, a keycap, variations, and joined ones.
        ("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", nil),
        ("🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", nil),
        ("1\u{FE0F}\u{20E3}", nil), ("#\u{FE0F}\u{20E3}", nil), ("☎\u{FE0E}", nil),
        ("👩🏽\u{200D}⚖\u{FE0F}", nil), ("🏴\u{200D}☠\u{FE0F}", nil),
        ("🏳\u{FE0F}\u{200D}🌈", nil), ("❤\u{FE0F}\u{200D}🔥", nil), ("©\u{FE0F}", nil),
        ("🇦🇹", nil), ("👨\u{200D}👩\u{200D}👧\u{200D}👦", nil),
        ("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}", .invisible),
        ("🏴\u{E007F}", .invisible), ("🏴\u{E0067}\u{E0062}\u{E007F}", .invisible),
        ("🏴\u{E0067}\u{E0040}\u{E0065}\u{E007F}", .invisible),
        ("🏴\(String(repeating: "\u{E0061}", count: 7))\u{E007F}", .invisible),
        ("👩\u{E0067}\u{E0062}\u{E0065}\u{E007F}", .invisible),
        ("1\u{FE0F}", .invisible), ("a\u{FE0F}\u{20E3}", .invisible),
        ("👩\u{200D}\u{200D}👩", .invisible), ("❤\u{FE0F}\u{FE0F}", .invisible),
    ]

    /// A character that cannot be in a Swift literal.
    private static func code(_ value: UInt32) -> String {
        Unicode.Scalar(value).map(String.init) ?? ""
    }

    @Test(arguments: characters)
    func `a name with invisible characters is refused`(characters: String, fault: Fault?) {
        for name in [characters, "B\(characters)ob", "Bob \(characters)"] {
            #expect(Self.fault(encoded: name) == fault, "\(name)")
            let field = " \"\(name)\" <\(Self.anna)>"
            #expect(
                DisplayNameTests.fault(Array(field.utf8), isInternational: true) == fault,
                "\(name)"
            )
        }
    }

    /// A charset, octets that are undefined or user-defined in it, and other octets.
    static let undefined: [(String, [[UInt8]], [[UInt8]])] = [
        ("windows-1252", [[0x81], [0x8D], [0x8F], [0x90], [0x9D]], [[0x80], [0x92], [0xFC]]),
        ("cp1252", [[0x81], [0x9D]], [[0x9C]]), ("windows-1250", [[0x81], [0x98]], [[0x8A]]),
        ("cp1251", [[0x98]], [[0x99]]), ("windows-1253", [[0xAA], [0xD2]], [[0xC1]]),
        ("windows-1254", [[0x9E]], [[0xDD]]), ("windows-1255", [[0xD9]], [[0xE0]]),
        ("windows-1257", [[0xA5]], [[0xA6]]), ("windows-1258", [[0x8E]], [[0xD0]]),
        ("windows-874", [[0x81], [0xDB]], [[0xA1]]), ("tis-620", [[0xFC]], [[0xA1]]),
        ("iso-8859-3", [[0xA5]], [[0xA6]]), ("iso8859-6", [[0xA1]], [[0xC7]]),
        ("iso-8859-7", [[0xFF]], [[0xE1]]), ("iso-8859-8", [[0xA1]], [[0xE0]]),
        ("iso-8859-11", [[0xDB]], [[0xA1]]), ("x-mac-roman", [[0xF0]], [[0x9F]]),
        ("shift_jis", [[0xF0, 0x40], [0xF9, 0xFC]], [[0x8E, 0x52], [0xFA, 0x40]]),
        ("gbk", [[0xAA, 0xA1], [0xF8, 0xA1], [0xA1, 0x40]], [[0xAA, 0x40], [0xF7, 0xA1]]),
        ("big5", [[0xFA, 0x40], [0x81, 0x41]], [[0xA4, 0xFD]]), ("big5-hkscs", [], [[0xFA, 0x40]]),
        ("euc-kr", [[0xC9, 0xA1], [0xFE, 0xA1]], [[0xB1, 0xE8]]),
        ("euc-jp", [[0xF5, 0xA1]], [[0xBB, 0xB3]]),
        ("iso-2022-jp", [[0x1B, 0x24, 0x42, 0x75, 0x21, 0x1B, 0x28, 0x42]], []),
    ]

    @Test(arguments: undefined)
    func `octets that programs decode differently are refused`(
        charset: String,
        refused: [[UInt8]],
        accepted: [[UInt8]]
    ) {
        for (octets, fault) in refused.map({ ($0, Fault?.some(.charset)) })
            + accepted.map({ ($0, nil) })
        {
            let word = octets.map(Self.encoded)
            let field = " =?\(charset)?Q?\(word.joined())?= <a@x.example>"
            let found = DisplayNameTests.fault(Array(field.utf8), isInternational: false)
            #expect(found == fault, "\(charset) \(octets)")
        }
    }

    /// The text after `From:`; `~` stands for the number of spaces that is tried.
    static let padded: [String] = [
        " \"Bob~x\" <a@x.example>", " Bob~x <a@x.example>", " Bob~<a@x.example>",
        " \"Bob\"~<a@x.example>", " \"~Bob\" <a@x.example>", " \"Bob~\" <a@x.example>",
        " \"~\" <a@x.example>", " (Bob~x) <a@x.example>", " a@x.example (Bob~x)",
        " Bob\r\n~x <a@x.example>", " \"Bob\r\n~x\" <a@x.example>",
        " =?utf-8?Q?Bob?=~<a@x.example>",
    ]

    @Test(arguments: padded)
    func `a name with too many spaces is refused`(body: String) {
        for (blanks, fault) in [
            (1, nil), (16, nil), (22, nil), (26, Fault.padding), (300, Fault.padding),
        ] {
            let field = body.replacing("~", with: String(repeating: " ", count: blanks))
            let found = DisplayNameTests.fault(Array(field.utf8), isInternational: false)
            #expect(found == fault, "\(blanks)")
        }
    }

    @Test func `a dot in any charset counts as dot of an address`() {
        for (charset, dot) in [
            ("koi8-r", "=9E"), ("koi8-r", "=95"), ("koi8-u", "=9E"), ("macintosh", "=E1"),
            ("x-mac-turkish", "=E1"), ("x-mac-greek", "=AF"), ("windows-1251", "=B7"),
            ("iso-8859-1", "=B7"), ("utf-8", "=C2=B7"),
        ] {
            let field = " =?\(charset)?Q?bob=40kanzlei\(dot)example?= <a@x.example>"
            let found = DisplayNameTests.fault(Array(field.utf8), isInternational: false)
            #expect(found == .foreignAddress, "\(charset) \(dot)")
        }
        // In one of these charsets it is a letter.
        let letter = Array(" =?x-mac-cyrillic?Q?=E1?= <a@x.example>".utf8)
        #expect(DisplayNameTests.fault(letter, isInternational: false) == nil)
    }

    @Test func `spaces of every kind count, except around the mailbox`() {
        let many = String(repeating: " ", count: 300)
        for blank in ["_", "=20", "=09", "=C2=A0", "=E2=80=83", "=E2=80=8A", "=E3=80=80"] {
            let word = "a\(String(repeating: blank, count: 30))b"
            let field = " =?utf-8?Q?\(word)?= <a@x.example>"
            #expect(DisplayNameTests.fault(Array(field.utf8), isInternational: false) == .padding)
        }
        for (charset, blank) in [
            ("koi8-r", "=9A"), ("macintosh", "=CA"), ("windows-874", "=A0"), ("cp1252", "=A0"),
            ("gbk", "=A1=A1"), ("big5", "=A1=40"), ("shift_jis", "=81=40"), ("euc-kr", "=A1=A1"),
        ] {
            for (count, fault) in [(1, nil), (10, nil), (30, Fault.padding)] {
                let word = "a\(String(repeating: blank, count: count))b"
                let field = " =?\(charset)?Q?\(word)?= <a@x.example>"
                let found = DisplayNameTests.fault(Array(field.utf8), isInternational: false)
                #expect(found == fault, "\(charset) \(count)")
            }
        }
        // The second octet of a space may be shown as `@`.
        for charset in ["shift_jis?Q?b=81=40x", "big5?Q?b=A1=40x"] {
            let field = " =?\(charset).example?= <a@x.example>"
            let found = DisplayNameTests.fault(Array(field.utf8), isInternational: false)
            #expect(found == .foreignAddress)
        }
        let wide = String(repeating: "!!", count: 30)
        let escaped = Array(" =?iso-2022-jp?Q?=1B=24B\(wide)=1B=28B?= <a@x.example>".utf8)
        #expect(DisplayNameTests.fault(escaped, isInternational: false) == .padding)
        let parted = Array(repeating: "x", count: 10).joined(separator: String(many.prefix(20)))
        let accepted = [
            "\(many)Anna <a@x.example>\(many)", "\(many)a@x.example\(many)",
            " Anna\r\n               Beispiel\r\n\t\t<a@x.example>",
            " " + Array(repeating: "=?utf-8?Q?Anna?=", count: 7).joined(separator: "\r\n\t")
                + "\r\n <a@x.example>",
            " Anna <a@x.example>,\(many)Bob <a@x.example>",
        ]
        for field in accepted {
            #expect(
                DisplayNameTests.fault(Array(field.utf8), isInternational: false) == nil,
                "\(field)"
            )
        }
        let field = Array(" \"\(parted)\" <a@x.example>".utf8)
        #expect(DisplayNameTests.fault(field, isInternational: false) == .padding)
    }

    /// Names with angle brackets next to Anna's address.
    static let brackets: [(String, Fault?)] = [
        ("Anna <anna@kanzlei.example>", nil), ("<Anna@Kanzlei.example>", nil),
        ("Anna <anna@kanzlei.example> (Wien)", nil),
        ("Anna <bob@kanzlei.example>", .angleBracket), ("Anna <b>", .angleBracket),
        ("Anna <anna@kanzlei.example", .angleBracket),
        ("Anna <<anna@kanzlei.example>", .angleBracket),
        ("<anna@kanzlei.example><bob@kanzlei.example>", .angleBracket),
        ("Anna <anna@kanzlei.example >", .angleBracket),
        ("bob@kanzlei.example <anna@kanzlei.example>", .foreignAddress),
        ("bob@<anna@kanzlei.example>", .foreignAddress),
    ]

    @Test(arguments: brackets)
    func `angle brackets may enclose only the mailbox's own address`(name: String, fault: Fault?) {
        #expect(Self.fault(encoded: name) == fault)
        #expect(
            DisplayNameTests.fault(
                Array(" \"\(name)\" <\(Self.anna)>".utf8),
                isInternational: false
            ) == fault
        )
    }
}
