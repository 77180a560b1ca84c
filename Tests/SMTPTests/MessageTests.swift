import NIOCore
import SMTP
import Testing

@Suite struct MessageTests {
    /// The octets after DATA, the message (nil if it is broken), and the octets that remain for
    /// commands.
    static let streams: [(String, String?, String)] = [
        (".\r\n", "", ""), ("a\r\n.\r\nNOOP\r\n", "a\r\n", "NOOP\r\n"),
        ("..\r\n...\r\n.x\r\n..y\r\n.\r\n", ".\r\n..\r\nx\r\n.y\r\n", ""),
        ("a\r\n.\t\r\n.\r\n", "a\r\n\t\r\n", ""), ("\r\n\r\n.\r\n", "\r\n\r\n", ""),
        ("a.\r\n.\r\n", "a.\r\n", ""), ("a\n.\n\r\n.\r\nX", nil, "X"),
        ("a\r\n.\n\r\n.\r\nX", nil, "X"),
        ("a\r.\r\r\n.\r\nX", nil, "X"), ("a\r.\r\n\r\n.\r\nX", nil, "X"),
        ("a\n.\r\n\r\n.\r\nX", nil, "X"), ("a\n.\r\r\n.\r\nX", nil, "X"),
        ("a\r\n.\r\r\n.\r\nX", nil, "X"), ("a\r\n\0.\r\n.\r\nX", nil, "X"),
        ("a\r\n.\0\r\n.\r\nX", nil, "X"), ("a\0b\r\n.\r\nX", nil, "X"), ("\n\r\n.\r\nX", nil, "X"),
        ("a\u{0B}\r\n.\r\n", "a\u{0B}\r\n", ""),
        ("\u{85}.\u{85}\r\n.\r\n", "\u{85}.\u{85}\r\n", ""),
    ]

    @Test(arguments: streams)
    func `only a line with a single dot ends a message`(
        wire: String,
        message: String?,
        rest: String
    ) {
        let octets = Array(wire.utf8)
        for first in 0...octets.count {
            for second in first...octets.count {
                let pieces = [octets[..<first], octets[first..<second], octets[second...]]
                let (found, isBroken, left) = Self.read(pieces)
                #expect(isBroken == (message == nil), "\(first) \(second)")
                if let message { #expect(found == message, "\(first) \(second)") }
                #expect(left == rest, "\(first) \(second)")
            }
        }
    }

    private static func read(_ pieces: [ArraySlice<UInt8>]) -> (String, Bool, String) {
        var stream = MessageStream(.dotted)
        var found: [UInt8] = []
        var left: [UInt8] = []
        var isEnded = false
        for piece in pieces {
            var input = ByteBuffer(bytes: piece)
            while !isEnded, let next = stream.next(&input) {
                switch next {
                case .octets(let octets): found += octets.readableBytesView
                case .end: isEnded = true
                }
            }
            if isEnded { left += input.readableBytesView }
        }
        return (
            String(decoding: found, as: UTF8.self), stream.isBroken,
            String(decoding: left, as: UTF8.self)
        )
    }

    @Test func `unstuffing reverses stuffing, regardless of where it is split`() {
        let message = Array(".\r\n..\r\nx.\r\n.y.z\r\n\r\n.\r\n".utf8)
        for first in 0...message.count {
            for second in first...message.count {
                var stuffing = DotStuffing()
                var wire: [UInt8] = []
                for part in [message[..<first], message[first..<second], message[second...]] {
                    wire += stuffing.stuff(ByteBuffer(bytes: part)).readableBytesView
                }
                let (found, isBroken, _) = Self.read([(wire + Array(".\r\n".utf8))[...]])
                #expect(found == String(decoding: message, as: UTF8.self), "\(first) \(second)")
                #expect(!isBroken)
            }
        }
    }

    @Test func `a piece of a message is stuffed like any octets, regardless of where it is split`()
    {
        let wire = Array("..\r\n...\r\nx.\r\n.y.z\r\n\r\n..a\r\n.\r\nNOOP".utf8)
        for first in 0...wire.count {
            for second in first...wire.count {
                var stream = MessageStream(.dotted)
                var (ofPieces, ofOctets) = (DotStuffing(), DotStuffing())
                for part in [wire[..<first], wire[first..<second], wire[second...]] {
                    var input = ByteBuffer(bytes: part)
                    while case .octets(let piece)? = stream.next(&input) {
                        let stuffed = ofPieces.stuff(piece: piece)
                        let expected = ofOctets.stuff(piece)
                        #expect(stuffed == expected, "\(first) \(second)")
                    }
                    #expect(!stream.isBroken)
                }
            }
        }
    }

    @Test(arguments: ["", "\r\n", "A: b\r\n", "A: b\r\n\r\n", "A: b\r\n\r\nbody\r\n\r\nmore"])
    func `a header ends at the first empty line, regardless of where it is split`(
        message: String
    ) throws {
        let octets = Array(message.utf8)
        let hasEnd = ("\r\n" + message).contains("\r\n\r\n")
        for cut in 0...octets.count {
            var collector = HeaderCollector()
            var found: (header: ByteBuffer, rest: ByteBuffer)?
            for part in [octets[..<cut], octets[cut...]] {
                if var known = found {
                    known.rest.writeBytes(part)
                    found = known
                } else {
                    found = try collector.receive(ByteBuffer(bytes: part))
                }
            }
            #expect((found != nil) == hasEnd)
            guard let found else {
                #expect(Array(collector.end().readableBytesView) == octets)
                continue
            }
            let header = Array(found.header.readableBytesView)
            #expect(header + Array(found.rest.readableBytesView) == octets)
            #expect(found.rest.readableBytesView.starts(with: "\r\n".utf8))
        }
    }

    @Test func `a header without end is refused`() {
        var collector = HeaderCollector()
        #expect(throws: Header.Fault.tooLarge) {
            for _ in 0..<400 {
                _ = try collector.receive(
                    ByteBuffer(string: "X-Pad: \(String(repeating: "x", count: 990))\r\n")
                )
            }
        }
    }

    static let headers: [(String, Header.Fault?)] = [
        ("From: a@x.example\r\n", nil), ("From: a@x.example\r\n b\r\n\tc\r\n", nil),
        ("A:\r\nB:b\r\n", nil), ("From: a\r\nfrom: b\r\n", .repeated("from")),
        ("To: a\r\nTO: b\r\n", .repeated("to")), ("X: a\r\nX: b\r\n", nil),
        (" From: a\r\n", .malformedLine), ("From : a\r\n", .malformedLine),
        ("From\t: a\r\n", .malformedLine), ("From\r\n : a\r\n", .malformedLine),
        ("garbage\r\n", .malformedLine), (": a\r\n", .malformedLine),
        ("F\u{FC}: a\r\n", .malformedLine),
        ("A: b\r\n \r\nFrom: a\r\n", .malformedLine),
        ("From x Mon Jan 1 00:00:00\r\n", .malformedLine),
        ("A: b", .malformedLine), (String(repeating: "A: b\r\n", count: 1_001), .tooLarge),
    ]

    @Test(arguments: headers)
    func `a header with any other line than fields is refused`(block: String, fault: Header.Fault?)
    {
        do {
            _ = try Header(ByteBuffer(string: block))
            #expect(fault == nil)
        } catch {
            #expect(error == fault)
        }
    }

    /// The text after `From:`, and the addresses; nil if it is refused.
    static let addresses: [(String, [String]?)] = [
        (" a@x.example", ["a@x.example"]), ("a@x.example", ["a@x.example"]),
        (" Anna <a@x.example>", ["a@x.example"]), (" <a@x.example>", ["a@x.example"]),
        (" \"A, B\" <a@x.example>, b@x.example", ["a@x.example", "b@x.example"]),
        (" Anna A. Arendt <a@x.example>", ["a@x.example"]),
        (" a@x.example (Anna)", ["a@x.example"]),
        (" (x) Anna (y) <a@x.example> (z)", ["a@x.example"]), (" \"a\"@x.example", ["a@x.example"]),
        (" \"a b\"@x.example", ["a b@x.example"]), ("\r\n a@x.example", ["a@x.example"]),
        (" Anna\r\n <a@x.example>", ["a@x.example"]),
        (" =?utf-8?Q?B=C3=BCro?= <a@x.example>", ["a@x.example"]),
        (" =?iso-2022-jp?B?GyRCOjMbKEI=?= <a@x.example>", ["a@x.example"]),
        (" =?gb2312?B?1cXOsA==?= <a@x.example>", ["a@x.example"]),
        (" =?x-mac-roman?Q?B=9Fro?= <a@x.example>", ["a@x.example"]),
        (" =?big5?B?pP2kcKn6?= <a@x.example>", ["a@x.example"]),
        (" =?shift_jis?B?jlKTY5G+mFk=?= <a@x.example>", ["a@x.example"]),
        (" =?euc-jp?B?u7PFxMLAz7o=?= <a@x.example>", ["a@x.example"]),
        (" =?euc-kr?B?sei5zrz2?= <a@x.example>", ["a@x.example"]),
        (" =?iso-2022-jp?B?GyRCOzNFREJATzobKEI=?= <a@x.example>", ["a@x.example"]),
        (" =?shift_jis?Q?=83t=83=40=83=93?= <a@x.example>", ["a@x.example"]),
        (" =?gbk?B?xOO6ww==?= A <a@x.example>", ["a@x.example"]),
        (" =?iso-8859-1*de?Q?B=FCro?= =?utf-8?Q?B=C3=BCro?= <a@x.example>", ["a@x.example"]),
        (" \"a@x.example\" <A@X.example>", ["A@X.example"]), (" a@[127.0.0.1]", nil),
        (" a@x.example ,\r\n b@x.example", ["a@x.example", "b@x.example"]),
        ("", nil), (" ", nil), (" <>", nil), (" a", nil), (" a@", nil), (" @x.example", nil),
        (" a@x.example b@x.example", nil), (" a@x.example,", nil), (" ,a@x.example", nil),
        (" a@x.example,,b@x.example", nil), (" <a@x.example>b@x.example", nil),
        (" b@x.example <a@x.example>", nil), (" <b@x.example>\\, <a@x.example>", nil),
        (" Execs: b@x.example;", nil), (" x:b@x.example;<a@x.example>", nil),
        (" undisclosed:;", nil),
        (" <@y.example:a@x.example>", nil), (" <@y.example,@z:a@x.example>", nil),
        (" a @x.example", nil), (" a@ x.example", nil), (" a(c)@x.example", nil),
        (" a.@x.example", nil), (" a..b@x.example", nil), (" a@x.example.", nil),
        (" <a@x.example", nil), (" a@x.example>", nil), (" \"Anna <a@x.example>", nil),
        (" (Anna a@x.example", nil), (" \"b@x.example\" <a@x.example>", nil),
        (" b@x.example (a@x.example)", nil), (" a@x.example (b@x.example)", nil),
        (" =?utf-8?Q?b=40x.example?= <a@x.example>", nil),
        (" =?utf-8?B?PGJAeC5leGFtcGxlPg==?= <a@x.example>", nil),
        (" =?utf-8?Q?b=40?= =?utf-8?Q?x.example?= <a@x.example>", nil),
        (" \"=?utf-8?Q?b=40x.example?=\" <a@x.example>", nil),
        (" =?iso-2022-jp?Q?b=40x.example?= <a@x.example>", nil),
        (" =?x-mac-japanese?B?YoGXeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?x-mac-chinesesimp?B?YqPAeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?x-mac-korean?B?YqPAeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?gb2312?B?YoFAeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?big5?B?YoFAeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?shift_jis?B?YoVAeC5leGFtcGxl?= <a@x.example>", nil),
        (" =?gb2312?B?YqPAeA==?= <a@x.example>", nil),
        (" =?gbk?B?YqPAeA==?= <a@x.example>", nil),
        (" =?gbk?B?YqmIeA==?= <a@x.example>", nil),
        (" =?gb18030?B?YqPAeA==?= <a@x.example>", nil),
        (" =?gb18030?B?YqmIeA==?= <a@x.example>", nil),
        (" =?big5?B?YqJJeA==?= <a@x.example>", nil),
        (" =?big5?B?YqJOeA==?= <a@x.example>", nil),
        (" =?shift_jis?B?YoGXeA==?= <a@x.example>", nil),
        (" =?euc-jp?B?YqH3eA==?= <a@x.example>", nil),
        (" =?euc-kr?B?YqPAeA==?= <a@x.example>", nil),
        (" =?iso-2022-jp?B?YhskQiF3GyhCeA==?= <a@x.example>", nil),
        (" =?euc-tw?Q?b=A2=E9x?= <a@x.example>", nil),
        (" =?euc-jis-2004?Q?b=A1=F7x?= <a@x.example>", nil),
        (" =?euc-jisx0213?Q?b=A1=F7x?= <a@x.example>", nil),
        // The octet before the sign does not belong to the charset for some readers.
        (" =?euc-kr?Q?b=A0=A3=C0x?= <a@x.example>", nil),
        (" =?euc-kr?Q?b=80=A3=C0x?= <a@x.example>", nil),
        (" =?euc-jp?Q?b=FF=A1=F7x?= <a@x.example>", nil),
        (" =?big5?Q?b=81=A2=49x?= <a@x.example>", nil),
        (" =?gb2312?Q?b=81=A3=C0x?= <a@x.example>", nil),
        (" =?gb2312?Q?=D5=81=A3=C0x?= <a@x.example>", nil),
        (" =?gb2312?Q?b=A3=C0=81?= =?gb2312?Q?x?= <a@x.example>", nil),
        (" =?shift_jis?Q?b=F0=81=97x?= <a@x.example>", nil),
        (" =?euc-kr?Q?Lee_=B0=A3=C0=CC?= <a@x.example>", ["a@x.example"]),
        // A sign that starts in one word and ends in the next.
        (" =?shift_jis?Q?b=81?= =?shift_jis?Q?=97x?= <a@x.example>", nil),
        (" =?gb2312?Q?b=A3?= =?gb2312?Q?=C0x?= <a@x.example>", nil),
        (" =?euc-kr?Q?b?= =?EUC-KR?B?ow==?= =?euc-kr?Q?=C0x?= <a@x.example>", nil),
        (" =?iso-2022-jp?Q?b=1B$B!?= =?iso-2022-jp?Q?w=1B(Bx?= <a@x.example>", nil),
        (" =?gb2312?Q?=D5=C5?= =?gb2312?Q?=CE=B0?= <a@x.example>", ["a@x.example"]),
        (" =?utf-8?Q?a=00b?= <a@x.example>", nil),
        (" \u{FC} <a@x.example>", nil), (" \u{FC}@x.example", nil), (" a@\u{FC}.example", nil),
        (" a\u{7F}@x.example", nil), (" a@x.example\u{202E}", nil), (" a\u{FF20}x.example", nil),
        (" \(String(repeating: "(", count: 5_000))", nil),
    ]

    @Test(arguments: addresses)
    func `an ambiguous address is refused`(body: String, expected: [String]?) {
        let found = try? AddressParser.mailboxes(Array(body.utf8), isInternational: false)
        #expect(found?.map { String(decoding: $0.address, as: UTF8.self) } == expected)
    }

    @Test func `octets outside ASCII need SMTPUTF8 and are allowed in names and local parts`() {
        func read(_ body: String) -> [Mailbox]? {
            try? AddressParser.mailboxes(Array(body.utf8), isInternational: true)
        }
        #expect(read("Büro <a@x.example>")?.count == 1)
        #expect(read("\"Büro\" <bü@x.example>")?.count == 1)
        #expect(read("a@bü.example") == nil)
    }

    /// A server's octets, and the number of replies; nil if the connection must be closed.
    static let replies: [(String, Int?)] = [
        ("250 ok\r\n", 1), ("250\r\n", 1), ("250-a\r\n250 b\r\n", 1), ("250 a\r\n550 b\r\n", 2),
        ("250-a\r\n550 b\r\n", nil), ("250 ok\n", nil), ("2x0 ok\r\n", nil), ("99 x\r\n", nil),
        ("1234 x\r\n", nil), ("150 x\r\n", nil), ("600 x\r\n", nil), ("ok\r\n", nil), ("25", 0),
        (String(repeating: "250-x\r\n", count: 1_000), nil),
        (String(repeating: "2", count: 3_000), nil),
    ]

    @Test(arguments: replies)
    func `a reply has valid lines with one code, or is refused`(wire: String, count: Int?) {
        var reader = ServerReplyReader()
        var found = 0
        do {
            for octet in wire.utf8 {
                reader.receive(ByteBuffer(integer: octet))
                while try reader.next() != nil { found += 1 }
            }
            #expect(found == count)
        } catch {
            #expect(count == nil)
        }
    }

    @Test func `a reply is shown without control characters`() throws {
        var reader = ServerReplyReader()
        reader.receive(ByteBuffer(string: "550 a\u{1B}[2Jb\u{FC}\r\n"))
        #expect(try reader.next()?.lines == ["a?[2Jb??"])
    }
}
