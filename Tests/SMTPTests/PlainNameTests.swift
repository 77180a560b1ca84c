import Testing

@testable import SMTP

/// Names without special characters are not read in every way: no reading could refuse them.
@Suite struct PlainNameTests {
    private static let address = Array("anna@kanzlei.example".utf8)

    private static func name(_ parts: [String]) -> ShownName {
        var name = ShownName()
        for part in parts {
            if part == " " { name.appendBlank(0x20) } else { name.appendWord(part.utf8) }
        }
        return name
    }

    private static func fault(_ check: () throws(AddressFault) -> Void) -> AddressFault? {
        do {
            try check()
            return nil
        } catch {
            return error
        }
    }

    @Test func `the check of a name agrees with the check of its readings`() {
        let pieces = [
            "Anna", "O'Neil", "Dr.", "Beispiel-Test,", "7", " ", " ", "a b", "a  b", "@", "<x>",
            "=?",
            "kanzlei.example", "(c)", "\u{202E}", "=?utf-8?Q?bob=40kanzlei.example?=",
            "anna@kanzlei.example",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let parts = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let name = Self.name(parts)
            let fault = Self.fault { () throws(AddressFault) in try name.check(beside: Self.address)
            }
            let expected = Self.fault { () throws(AddressFault) in
                try name.checkReadings(beside: Self.address)
            }
            #expect(fault == expected, "\(parts)")
        }
    }

    @Test func `every octet is checked like its readings, alone and between spaces`() {
        for octet in UInt8.min...UInt8.max {
            for octets in [[octet], [0x61, octet, 0x62], [0x20, octet, 0x20], [octet, octet]] {
                var name = ShownName()
                name.appendWord(octets)
                let fault = Self.fault { () throws(AddressFault) in
                    try name.check(beside: Self.address)
                }
                let expected = Self.fault { () throws(AddressFault) in
                    try name.checkReadings(beside: Self.address)
                }
                #expect(fault == expected, "\(octets)")
            }
        }
    }
}
