import IMAP
import NIOCore
import Testing

/// Responses to the gateway's own FETCH commands.
@Suite struct FetchResponseTests {
    /// A response or its first piece, and its parsed form; nil if it is refused.
    static let rows: [(String, String?)] = [
        (
            "* 5 FETCH (UID 7 FLAGS (\\Seen \\Recent $A) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n",
            "5 7 \\Seen,$A 17-Jul-1996 02:44:25 -0700 - -"
        ),
        ("* 5 FETCH (flags () UID 7)\r\n", "5 7  - - -"),
        ("* 5 FETCH (MODSEQ (12) UID 7 X-NEW (a \"b)\" (c)) RFC822.SIZE 9)\r\n", "5 7 - - - -"),
        ("* 5 FETCH (UID 7 BODY[] {123}\r\n", "5 7 - - - 123"),
        ("* 5 FETCH (BODY[] {0}\r\n", "5 - - - - 0"),
        ("* 5 FETCH (UID 7 BODY[] \"a b\")\r\n", "5 7 - - a b -"),
        ("* 5 FETCH (UID 7 BODY[] NIL)\r\n", "5 7 - - - -"),
        ("* 5 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] {3}\r\na)b UID 7)\r\n", "5 7 - - a)b -"),
        ("* 5 FETCH (BODY[]<0> \"x\" UID 7)\r\n", "5 7 - - x -"),
        // A literal whose octets are in the same piece is parsed; it is not an announcement.
        ("* 5 FETCH (BODY[] {3}\r\nabc UID 7)\r\n", "5 7 - - abc -"),
        (
            "* 5 FETCH ( UID  7  FLAGS  ( \\Seen  \"Zu tun\" a(b) M\u{FC}ller NIL )  X  1 )\r\n",
            "5 7 \\Seen - - -"
        ),
        ("* 5 FETCH (UID 7 FLAGS NIL)\r\n", "5 7  - - -"),
        ("* 5 FETCH (UID 7 FLAGS (:-)))\r\n", nil),
        ("* 5 FETCH (UID 7\r\n", nil),
        ("* 5 FETCH (UID 0)\r\n", nil),
        ("* 0 FETCH (UID 7)\r\n", nil),
        ("* 5 FETCH (UID 4294967296)\r\n", nil),
        ("* 5 FETCH (FLAGS (\\Seen)\r\n", nil),
        ("* 5 FETCH (BODY[ {3}\r\n", nil),
        ("* 5 FETCH (BODY[] {3}\r\nab)\r\n", nil),
        ("* 5 FETCH (UID 7) x\r\n", nil),
        ("* 5 FETCH ()\r\n", nil),
        ("* 5 EXPUNGE\r\n", nil),
    ]

    @Test(arguments: rows)
    func `a FETCH response with the requested items is parsed`(wire: String, expected: String?) {
        let fetched = try? FetchResponse(ByteBuffer(string: wire))
        #expect(fetched.map(Self.shown) == expected)
    }

    private static func shown(_ fetched: FetchResponse) -> String {
        func shown<Value>(_ value: Value?, _ text: (Value) -> String) -> String {
            value.map(text) ?? "-"
        }
        let flags = shown(fetched.flags) { flags in
            flags.map { String(buffer: $0.text) }.joined(separator: ",")
        }
        let date = shown(fetched.internalDate) { String(buffer: $0) }
        let body = shown(fetched.body) { String(buffer: $0) }
        let announced = shown(fetched.announced) { "\($0)" }
        let uid = shown(fetched.uid) { "\($0)" }
        return "\(fetched.number) \(uid) \(flags) \(date) \(body) \(announced)"
    }

    private static let dates: [(String, Int64?)] = [
        ("17-Jul-1996 02:44:25 -0700", 837_596_665),
        (" 1-Jan-1970 00:00:00 +0000", 0),
        ("01-Jan-1970 01:00:00 +0100", 0),
        ("29-Feb-2024 23:59:59 +0530", 1_709_231_399),
        ("31-Dec-1969 23:59:59 +0000", -1),
        ("1-mar-2000 00:00:00 +0000", 951_868_800),
        ("32-Jan-2000 00:00:00 +0000", nil),
        ("1-Jän-2000 00:00:00 +0000", nil),
        ("1-Jan-2000 24:00:00 +0000", nil),
        ("1-Jan-2000 00:00:00 0000", nil),
        ("1-Jan-2000 00:00:00 +0000 ", nil),
        ("1-Jan-99999 00:00:00 +0000", nil),
        ("", nil),
    ]

    @Test(arguments: dates)
    func `an INTERNALDATE is a time, regardless of its zone`(text: String, seconds: Int64?) {
        #expect(DateTime(ByteBuffer(string: text))?.seconds == seconds)
    }

    @Test func `UIDs become ranges, and sets that fit one command`() throws {
        let set = SequenceSet(uids: [3, 4, 5, 9, 8, UInt32.max])
        #expect(String(buffer: set.text) == "3:5,9,8,4294967295")
        #expect(set.members(atMost: 6) == [3, 4, 5, 9, 8, .max])
        #expect(set.members(atMost: 5) == nil)
        #expect(SequenceSet(from: 8).members(atMost: 10) == nil)
        var huge = Cursor(ByteBuffer(string: "1:4294967295"))
        #expect(try huge.sequenceSet().members(atMost: 10) == nil)
        let scattered = (1...1_000).map { UInt32($0) * 4_000_003 }
        let batches = SequenceSet.batches(of: scattered)
        #expect(batches.allSatisfy { $0.text.readableBytes < 8_000 })
        #expect(batches.flatMap { $0.members(atMost: 1_000) ?? [] } == scattered)
        #expect(SequenceSet.batches(of: []).isEmpty)
    }
}
