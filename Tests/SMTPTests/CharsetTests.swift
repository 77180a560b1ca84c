import Testing

@testable import SMTP

/// What octets of an encoded word stand for, by charset.
@Suite struct CharsetTests {
    private static func charset(_ name: String) throws -> Charset {
        try #require(Charset(name: Array(name.utf8)[...]))
    }

    /// Names in each spelling, and others that are none.
    @Test(arguments: [
        ("utf-8", true), ("UTF-8", true), ("utf8", true), ("us-ascii", true), ("ASCII", true),
        ("iso-8859-1", true), ("ISO8859-15", true), ("latin1", true), ("latin-9", true),
        ("cp1252", true),
        ("windows-1258", true), ("koi8-r", true), ("iso-2022-jp", true), ("gb18030", true),
        ("big5", true),
        ("shift_jis", true), ("euc-kr", true), ("macintosh", true), ("tis-620", true),
        ("utf-7", false), ("utf-16", false), ("iso-8859-12", false), ("iso-8859-17", false),
        ("windows-1259", false), ("latin3", false), ("", false), ("utf-8 ", false),
        ("utf_8", false),
        ("iso-2022-kr", false), ("hz-gb-2312", false), ("x-user-defined", false),
        ("ascii\u{0}", false),
        (String(repeating: "a", count: 25), false),
    ])
    func `a charset is in the list, whole, or is none`(name: String, isKnown: Bool) {
        #expect((Charset(name: Array(name.utf8)[...]) != nil) == isKnown)
    }

    @Test(arguments: [
        "utf-8", "us-ascii", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp", "gbk", "big5",
        "shift_jis", "euc-jp", "euc-kr", "euc-tw", "macintosh", "windows-874",
    ])
    func `ASCII is ASCII in each`(name: String) throws {
        // ISO 2022 takes an escape for the beginning of another charset.
        let octets = (UInt8(0)..<0x80).filter { $0 != 0x1B }
        #expect(try Self.charset(name).decode(octets) == octets.map { Unicode.Scalar($0) })
    }

    /// Octets of charsets with one octet for a character, and what they stand for.
    @Test(
        arguments: [
            ("iso-8859-1", 0xE4, "\u{E4}"), ("iso-8859-1", 0xA0, "\u{A0}"),
            ("iso-8859-1", 0x85, "\u{85}"),
            ("windows-1252", 0xE4, "\u{E4}"), ("windows-1252", 0x92, "\u{E001}"),
            ("koi8-r", 0x9A, "\u{A0}"),
            ("koi8-r", 0x9E, "\u{B7}"), ("koi8-r", 0x95, "\u{2219}"), ("koi8-r", 0xC1, "\u{E001}"),
            ("iso-8859-8", 0xFD, "\u{200E}"), ("windows-1255", 0xFE, "\u{200F}"),
            ("windows-1256", 0x9D, "\u{200C}"),
            ("cp1256", 0x9E, "\u{200D}"), ("macintosh", 0xCA, "\u{A0}"),
            ("macintosh", 0xE1, "\u{B7}"),
            ("x-mac-greek", 0xFF, "\u{AD}"), ("windows-874", 0xA0, "\u{A0}"),
            ("tis-620", 0x85, "\u{85}"),
        ] as [(String, UInt8, Unicode.Scalar)]
    )
    func `an octet is what is seen, or stands for a letter`(
        name: String,
        octet: UInt8,
        scalar: Unicode.Scalar
    ) throws {
        #expect(try Self.charset(name).decode([0x61, octet, 0x62]) == ["a", scalar, "b"])
    }

    /// Octets that programs show differently, or that are none of the charset.
    @Test(
        arguments: [
            ("us-ascii", [0x80]), ("ascii", [0xE4]), ("windows-1252", [0x81]), ("cp1252", [0x9D]),
            ("windows-1250", [0x98]), ("iso-8859-3", [0xA5]), ("iso8859-7", [0xAE]),
            ("iso-8859-8", [0xBF]),
            ("macintosh", [0xF0]), ("tis-620", [0xFC]), ("windows-1257", [0xA1]),
            ("iso-2022-jp", [0x80]), ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x21]),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x30, 0x21]), ("iso-2022-jp", [0x1B, 0x28, 0x49]),
            ("iso-2022-jp", [0x1B]),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x75, 0x21, 0x1B, 0x28, 0x42]),
            ("gb2312", [0xB0]), ("gb2312", [0xFF, 0xA1]), ("gb2312", [0x80, 0xA1]),
            ("gb18030", [0x81, 0x30]),
            ("gb2312", [0xFE, 0xA1]), ("big5", [0xA1, 0x7F]), ("big5", [0xFA, 0x40]),
            ("shift_jis", [0xF0, 0x40]),
            ("shift_jis", [0xA0]), ("euc-jp", [0xB0, 0x41]), ("euc-jp", [0x8F, 0xB0]),
            ("euc-jp", [0xF5, 0xA1]),
            ("euc-tw", [0x8E, 0xA1, 0xB0]), ("euc-kr", [0xC9, 0xA1]), ("euc-kr", [0xB0]),
        ] as [(String, [UInt8])]
    )
    func `octets that are none of the charset are refused`(name: String, octets: [UInt8]) throws {
        let charset = try Self.charset(name)
        #expect(throws: AddressFault.charset) { try charset.decode(octets) }
    }

    /// An `@` of another width: alone, and where a reader may see one.
    @Test(
        arguments: [
            ("gb2312", [0xA3, 0xC0]), ("gbk", [0xA9, 0x88]), ("euc-cn", [0xA3, 0xC0]),
            ("big5", [0xA2, 0x49]),
            ("big5-hkscs", [0xA2, 0x4E]), ("shift_jis", [0x81, 0x97]),
            ("windows-31j", [0x81, 0x97]),
            ("euc-jp", [0xA1, 0xF7]), ("euc-kr", [0xA3, 0xC0]), ("euc-tw", [0xA2, 0xE9]),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x21, 0x77, 0x1B, 0x28, 0x42]),
        ] as [(String, [UInt8])]
    )
    func `a wide at sign is refused`(name: String, octets: [UInt8]) throws {
        let charset = try Self.charset(name)
        #expect(throws: AddressFault.atSign) { try charset.decode(octets) }
        #expect(throws: AddressFault.atSign) { try charset.decode([0x62] + octets + [0x78]) }
    }

    @Test(
        arguments: [
            ("euc-kr", [0xA1, 0xA9]), ("ks_c_5601-1987", [0xA4, 0xD4]),
        ] as [(String, [UInt8])]
    )
    func `a character that is not seen is refused`(name: String, octets: [UInt8]) throws {
        let charset = try Self.charset(name)
        #expect(throws: AddressFault.invisible) { try charset.decode(octets) }
    }

    /// Characters of two octets or more, one after the other.
    @Test(
        arguments: [
            ("gb2312", [0xC4, 0xE3, 0xBA, 0xC3], 2), ("gbk", [0x81, 0x40], 1),
            ("big5", [0xA7, 0x41], 1),
            ("big5-hkscs", [0xFA, 0x40], 1), ("shift_jis", [0x82, 0xA0, 0xB1], 2),
            ("euc-jp", [0x8F, 0xB0, 0xA1], 1),
            ("euc-jp", [0x8E, 0xB1], 1), ("euc-tw", [0x8E, 0xA2, 0xB0, 0xA1], 1),
            ("euc-kr", [0xB0, 0xA1], 1),
            ("euc-kr", [0xC0, 0x61], 1),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x30, 0x21, 0x30, 0x22, 0x1B, 0x28, 0x42], 2),
            ("iso-2022-jp", [0x1B, 0x24, 0x28, 0x44, 0x30, 0x21, 0x1B, 0x28, 0x4A], 1),
        ] as [(String, [UInt8], Int)]
    )
    func `a character of several octets is one that is not decoded`(
        name: String,
        octets: [UInt8],
        count: Int
    ) throws {
        let text = try Self.charset(name).decode(octets)
        #expect(text == Array(repeating: Placeholder.unknown, count: count))
    }

    @Test(
        arguments: [
            ("gb2312", [0xA1, 0xA1]), ("big5", [0xA1, 0x40]), ("shift_jis", [0x81, 0x40]),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x21, 0x21, 0x1B, 0x28, 0x42]),
        ] as [(String, [UInt8])]
    )
    func `a wide blank is a blank`(name: String, octets: [UInt8]) throws {
        #expect(try Self.charset(name).decode(octets) == [Placeholder.wideBlank])
    }

    @Test func `text in UTF-8 has no placeholder`() throws {
        for scalar in [Placeholder.unknown, Placeholder.letter] {
            #expect(Placeholder.isOne(scalar))
            #expect(throws: AddressFault.unassigned) {
                try Charset.text(utf8: Array(String(scalar).utf8))
            }
        }
        #expect(!Placeholder.isOne(Placeholder.wideBlank) && !Placeholder.isOne("\u{E002}"))
        #expect(try Charset.text(utf8: Array("\u{E002}a".utf8)) == ["\u{E002}", "a"])
        for octets in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]] {
            #expect(throws: AddressFault.notUTF8) { try Charset.text(utf8: octets) }
        }
    }
}
