import Testing

@testable import SMTP

/// Words of a display name in another charset (RFC 2047).
@Suite struct EncodedWordTests {
    private static func decode(_ word: String) throws(AddressFault) -> String? {
        guard let scalars = try EncodedWord.decode(Array(word.utf8)[...]) else { return nil }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Words, and the text that they are; nil for one that is not encoded.
    static let words: [(String, String?)] = [
        ("Anna", nil), ("=", nil), ("?=", nil), ("a=b", nil), ("=a?=", nil), ("", nil),
        ("=?utf-8?Q?Anna?=", "Anna"), ("=?UTF-8?q?B=C3=BCro?=", "B\u{FC}ro"),
        ("=?utf-8?q?b=c3=bcro?=", "b\u{FC}ro"), ("=?utf-8?Q?a_b?=", "a b"),
        ("=?utf-8?Q?a=20b?=", "a b"),
        ("=?utf-8?Q?a=5Fb?=", "a_b"), ("=?utf-8?B?QsO8cm8=?=", "B\u{FC}ro"),
        ("=?utf-8?b?QQ==?=", "A"),
        ("=?iso-8859-1?Q?B=FCro?=", "B\u{FC}ro"), ("=?utf-8*de?Q?a?=", "a"),
        ("=?utf-8*de-AT?Q?a?=", "a"), ("=?utf-8?Q?=3D=3F?=", "=?"),
    ]

    @Test(arguments: words)
    func `a word in one form is decoded`(word: String, text: String?) throws {
        #expect(try Self.decode(word) == text)
    }

    /// Words that programs decode in different ways.
    static let refused: [(String, AddressFault)] = [
        ("a=?utf-8?Q?b?=", .encodedWord), ("=?utf-8?Q?a?=b", .encodedWord),
        ("=?utf-8?Q?a", .encodedWord),
        ("=?utf-8?Q?a?", .encodedWord), ("=?utf-8?Q??=", .encodedWord), ("=??Q?a?=", .charset),
        ("=?utf-8?X?a?=", .encodedWord), ("=?utf-8?QQ?a?=", .encodedWord),
        ("=?utf-8??a?=", .encodedWord),
        ("=?utf-8?Q?a?b?=", .encodedWord), ("=?utf-8?Q?=C?=", .encodedWord),
        ("=?utf-8?Q?=?=", .encodedWord),
        ("=?utf-8?Q?=GG?=", .encodedWord), ("=?utf-8?Q?\u{FC}?=", .encodedWord),
        ("=?utf-8?Q?a\tb?=", .encodedWord),
        ("=?utf-8?B?QQ?=", .encodedWord), ("=?utf-8?B?Q===?=", .encodedWord),
        ("=?utf-8?B?QR==?=", .encodedWord),
        ("=?utf-8?B?QQ==QQ==?=", .encodedWord), ("=?utf-8?B?Q Q=?=", .encodedWord),
        ("=?utf-8?B?-_-_?=", .encodedWord),
        ("=?utf-8*?Q?a?=", .encodedWord), ("=?utf-8*d1?Q?a?=", .encodedWord),
        ("=?utf-8*de*at?Q?a?=", .encodedWord),
        ("=?utf-8*abcdefghi?Q?a?=", .encodedWord), ("=?utf-8*de-?Q?a?=", .encodedWord),
        ("=?utf-7?Q?a?=", .charset), ("=?unknown?Q?a?=", .charset),
        ("=?us-ascii?Q?=FC?=", .charset),
        ("=?utf-8?Q?=FC?=", .notUTF8), ("=?utf-8?B?/w==?=", .notUTF8),
        ("=?=?utf-8?Q?a?=", .encodedWord), ("=?utf-8?Q?a?==?utf-8?Q?b?=", .encodedWord),
    ]

    @Test(arguments: refused)
    func `a word that decoders read in different ways is refused`(word: String, fault: AddressFault)
    {
        #expect(throws: fault) { try Self.decode(word) }
    }

    @Test func `each octet in the Q encoding is itself`() throws {
        for octet in UInt8(0x20)..<0x7F {
            let digits = String(octet, radix: 16, uppercase: true)
            #expect(
                try Self.decode("=?us-ascii?Q?=\(digits)?=") == String(Unicode.Scalar(octet))
            )
        }
    }
}
