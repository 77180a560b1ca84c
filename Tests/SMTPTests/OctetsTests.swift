import Testing

@testable import SMTP

/// Character classes and numbers, on octets.
@Suite struct OctetsTests {
    /// RFC 5322 §3.2.3, written out.
    private static let atext = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~".utf8
    )

    @Test func `each octet is of the classes that the grammar gives it`() {
        for octet in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(octet))
            let isASCII = octet < 0x80
            #expect(octet.isAtext == Self.atext.contains(octet))
            #expect(octet.isDigit == (isASCII && "0123456789".contains(character)))
            #expect(octet.isLetter == (isASCII && character.isLetter))
            #expect(octet.isBlank == (octet == 32 || octet == 9))
            #expect(octet.isControl == (octet < 32 || octet == 127))
            let lower = octet >= 65 && octet <= 90 ? octet + 32 : octet
            let upper = octet >= 97 && octet <= 122 ? octet - 32 : octet
            #expect(octet.asciiLowercased == lower && octet.asciiUppercased == upper)
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("5", 5), ("007", 7), ("10485760", 10_485_760),
            ("999999999999999999", 999_999_999_999_999_999), ("000000000000000001", 1),
        ] as [(String, UInt64)]
    )
    func `digits are a number`(text: String, number: UInt64) {
        #expect(Array(text.utf8).decimalNumber == number)
        #expect(Array("x\(text)".utf8).dropFirst().decimalNumber == number)
    }

    @Test(arguments: [
        "", "-1", "+1", " 1", "1 ", "1.5", "0x1", "1e3", "1000000000000000000",
        "0000000000000000001", "\u{661}", "1\u{0}", "a",
    ])
    func `anything else is none, and none overflows`(text: String) {
        #expect(Array(text.utf8).decimalNumber == nil)
    }

    @Test(arguments: [
        ("MAIL", true), ("mail", true), ("MaIl", true), ("MAI", false), ("MAILS", false),
        ("MA\u{131}L", false), ("", false), ("MAI1", false),
    ])
    func `a word is compared in any case, and whole`(text: String, isWord: Bool) {
        #expect(Array(text.utf8).equals(word: "MAIL") == isWord)
    }

    @Test(arguments: [
        ("FROM:<a>", true), ("from:", true), ("FROM", false), ("FROM <a>", false), ("", false),
        (" FROM:", false),
    ])
    func `a beginning is compared in any case`(text: String, begins: Bool) {
        #expect(Array(text.utf8).starts(withWord: "FROM:") == begins)
    }
}
