import SASL
import Support
import Testing

@Suite struct Base64Tests {
    /// RFC 4648 §10, and each octet value.
    static let values: [([UInt8], String)] = [
        ([], ""), (Array("f".utf8), "Zg=="), (Array("fo".utf8), "Zm8="),
        (Array("foo".utf8), "Zm9v"), (Array("foob".utf8), "Zm9vYg=="),
        (Array("fooba".utf8), "Zm9vYmE="), (Array("foobar".utf8), "Zm9vYmFy"),
        ([0], "AA=="), ([0xFF, 0xFF, 0xFF], "////"), ([0xFB, 0xEF, 0xBE], "++++"),
    ]

    @Test(arguments: values)
    func `octets and their base64 are converted in both directions`(octets: [UInt8], text: String) {
        #expect(String(decoding: Base64.encode(octets), as: UTF8.self) == text)
        #expect(Base64.decode(Array(text.utf8)) == octets)
    }

    @Test func `each octet value survives encoding and decoding, at each length`() {
        let octets = (0...255).map(UInt8.init)
        for count in 0...octets.count {
            let part = Array(octets.suffix(count))
            #expect(Base64.decode(Base64.encode(part)) == part)
        }
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zm9vY", "=", "====", "Z===", "Zg==Zg==", "Zg=a", "Zm9=v",
        // Surplus bits: a second encoding of the same octets.
        "Zh==", "Zm9=", "Zm8",
        "Zm9v\n", "Zm 9", " Zm9", "Zm9-", "Zm9_", "Zm\0v", "Zm9\u{E9}",
    ])
    func `text that is not the canonical encoding is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }

    @Test(arguments: ["A", "=", "\0", "é"])
    func `the time to decode grows linearly`(octet: String) {
        let ratio = Linearity.ratio(upTo: 1 << 20) { count in
            let octets = Array(repeatElement(Array(octet.utf8), count: count).joined())
            return {
                _ = Base64.decode(octets)
                _ = Base64.encode(octets)
            }
        }
        #expect(ratio < Linearity.most)
    }
}
