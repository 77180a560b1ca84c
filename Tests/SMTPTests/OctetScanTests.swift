import Testing

@testable import SMTP

/// The search of octets, eight at a time.
@Suite struct OctetScanTests {
    @Test func `each octet is found at each place of each length`() {
        for count in 0...20 {
            for place in 0..<count {
                for (octet, other): (UInt8, UInt8) in [
                    (0x2E, 0x2F), (0x2E, 0xAE), (0x2E, 0x2D), (0, 0x80), (0, 1),
                ] {
                    var octets = [UInt8](repeating: other, count: count)
                    octets[place] = octet
                    // A second one behind it is not found first.
                    if place + 2 < count { octets[place + 2] = octet }
                    octets.withUnsafeBytes { octets in
                        for start in 0...count {
                            let expected = octets[start...].firstIndex(of: octet) ?? count
                            #expect(octets.firstIndex(of: octet, from: start) == expected)
                        }
                    }
                }
            }
        }
    }

    @Test func `the first octet below a limit is found among all values`() {
        var octets = (0..<4_096).map { _ in UInt8.random(in: 0x0C...0xFF) }
        octets += [0x0E, 0x0D, 0x80, 0x8D, 0xFF, 0x00, 0x7F, 0x0E, 0x0E]
        octets.withUnsafeBytes { octets in
            for limit: UInt8 in [1, 0x0E, 0x20, 0x80] {
                for start in 0...octets.count {
                    let expected = octets[start...].firstIndex { $0 < limit } ?? octets.count
                    #expect(octets.firstIndex(below: limit, from: start) == expected)
                }
            }
        }
    }
}
