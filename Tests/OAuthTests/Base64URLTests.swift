import Testing

@testable import OAuth

struct Base64URLTests {
    @Test(
        arguments: [
            ("", []), ("AA", [0]), ("_w", [255]), ("AAA", [0, 0]), ("-_8", [251, 255]),
            ("AQID", [1, 2, 3]), ("AQIDBA", [1, 2, 3, 4]),
        ] as [(String, [UInt8])]
    )
    func `canonical text is decoded`(text: String, octets: [UInt8]) {
        #expect(Base64URL.decode(Array(text.utf8)) == octets)
        #expect(octets.base64URL == text)
    }

    @Test(arguments: [
        "A", "AAAAA", "AB", "_x", "AAB", "AA=", "AA==", "AAA=", "=", "A A", "AA\n", " AA", "+w",
        "/w", "A.A", "AA\0", "ÄA", "AQID====",
    ])
    func `text that is not canonical is refused`(text: String) {
        #expect(Base64URL.decode(Array(text.utf8)) == nil)
    }
}
