import Foundation
import IMAP
import NIOCore
import Support
import Testing

/// INTERNALDATE: the same moment, however a server writes it.
@Suite struct DateTimeTests {
    private static func seconds(_ text: String) -> Int64? {
        DateTime(ByteBuffer(string: text))?.seconds
    }

    @Test(arguments: [
        ("01-Jan-1970 00:00:00 +0000", 0), (" 1-Jan-1970 00:00:00 +0000", 0),
        ("1-Jan-1970 00:00:01 +0000", 1), ("31-Dec-1969 23:59:59 +0000", -1),
        ("17-Jul-1996 02:44:25 -0700", 837_596_665), ("17-JUL-1996 02:44:25 -0700", 837_596_665),
        ("17-jul-1996 11:44:25 +0200", 837_596_665), ("29-Feb-2000 12:00:00 +0000", 951_825_600),
        ("01-Mar-2000 00:00:00 +0000", 951_868_800), ("28-Feb-1900 00:00:00 +0000", -2_203_977_600),
        ("01-Mar-1900 00:00:00 +0000", -2_203_891_200),
        ("31-Dec-9999 23:59:59 +0000", 253_402_300_799),
        ("19-Jan-2038 03:14:08 +0000", 2_147_483_648), ("01-Jan-1970 05:45:00 +0545", 0),
        ("31-Dec-1969 14:30:00 -0930", 0), ("30-Jun-2015 23:59:60 +0000", 1_435_708_800),
    ])
    func `a date is a moment`(text: String, seconds: Int64) {
        #expect(Self.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "01-Jan-1970", "01-Jan-1970 00:00:00", "0-Jan-1970 00:00:00 +0000",
        "32-Jan-1970 00:00:00 +0000", "01-Foo-1970 00:00:00 +0000", "01-Jan-10000 00:00:00 +0000",
        "01-Jan-1970 24:00:00 +0000", "01-Jan-1970 00:60:00 +0000", "01-Jan-1970 00:00:61 +0000",
        "01-Jan-1970 00:00:00 0000", "01-Jan-1970 00:00:00 +2401", "01-Jan-1970 00:00:00 +0000 ",
        "01 Jan 1970 00:00:00 +0000", "01-Jan-1970T00:00:00Z", "01-Jan-1970 00:00 +0000",
        "  1-Jan-1970 00:00:00 +0000", "01-Januar-1970 00:00:00 +0000",
        "99999999999-Jan-1970 00:00:00 +0000",
    ])
    func `what is no date is none`(text: String) {
        #expect(Self.seconds(text) == nil)
    }

    /// Against Foundation's calendar, for moments from 1970 to 2100 in zones of any offset.
    @Test(arguments: 0..<8)
    func `a date is the moment that a calendar says`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "dd-MMM-yyyy HH:mm:ss Z"
        for _ in 0..<100 {
            let moment = Int64.random(in: 0...4_102_444_800, using: &random)
            let minutes = Int.random(in: -14 * 60...14 * 60, using: &random)
            formatter.timeZone = TimeZone(secondsFromGMT: 60 * minutes)
            let text = formatter.string(from: Date(timeIntervalSince1970: Double(moment)))
            #expect(Self.seconds(text) == moment, "\(text)")
        }
    }

    @Test(arguments: ["17-Jul-1996 02:44:25 -0700", " 1-Jan-1970 00:00:00 +0000"])
    func `a date with any octet changed is another date or none`(text: String) {
        let octets = Array(text.utf8)
        for place in octets.indices {
            for octet in UInt8.min ... .max where octet != octets[place] {
                var changed = octets
                changed[place] = octet
                _ = DateTime(ByteBuffer(bytes: changed))
            }
            // Of a zone any digits are read.
            guard place < octets.count - 3 else { continue }
            #expect(DateTime(ByteBuffer(bytes: octets.prefix(place))) == nil)
        }
    }
}
