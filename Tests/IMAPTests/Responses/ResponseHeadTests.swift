import IMAP
import NIOCore
import Testing

@Suite struct ResponseHeadTests {
    private static func tagged(
        _ tag: String,
        _ condition: Condition,
        _ text: String
    ) -> ResponseHead {
        .tagged(tag: ByteBuffer(string: tag), condition, text: ByteBuffer(string: text))
    }

    private static func status(_ condition: Condition, _ text: String) -> ResponseHead {
        .status(condition, text: ByteBuffer(string: text))
    }

    static let heads: [(String, ResponseHead?)] = [
        ("* 3 EXISTS\r\n", .numbered(3, .exists)),
        ("* 3 exists\r\n", .numbered(3, .exists)),
        ("* 3 EXISTS \r\n", .numbered(3, .exists)),
        ("* 0 RECENT\r\n", .numbered(0, .recent)),
        ("* 4294967295 EXPUNGE\r\n", .numbered(4_294_967_295, .expunge)),
        ("* 12 FETCH (FLAGS ())\r\n", .numbered(12, .fetch)),
        ("* 12 FETCH (BODY[] {5}\r\n", .numbered(12, .fetch)),
        ("* 0 EXPUNGE\r\n", nil),
        ("* 0 FETCH (FLAGS ())\r\n", nil),
        ("* 4294967296 EXISTS\r\n", nil),
        // It is unknown which command they answer, or what they change.
        ("* -1 EXISTS\r\n", nil),
        ("* EXISTS 3\r\n", nil),
        ("* EXPUNGE\r\n", nil),
        ("*\t3 EXISTS\r\n", nil),
        ("* (3 EXISTS)\r\n", nil),
        ("* 3\r\n", nil),
        ("* \r\n", nil),
        ("* 3EXISTS\r\n", nil),
        ("* XYZZY(1)\r\n", nil),
        ("* \"SEARCH\" 1\r\n", nil),
        // No octets are hidden in lines that are passed on unchanged.
        ("* 3 EXISTS G1 OK\r\n", nil),
        ("* 3 EXISTS {5}\r\n", nil),
        ("* 3 EXPUNGE x\r\n", nil),
        ("* 3 FETCH FLAGS ()\r\n", nil),
        ("* 3 FETCH {5}\r\n", nil),
        ("* 3 COPY\r\n", nil),
        ("* LIST () \"/\" x\r\n", .data(.list)),
        ("* list () \"/\" x\r\n", .data(.list)),
        ("* LISTX () \"/\" x\r\n", .data(.unknown)),
        ("* METADATA \"Private\" (/shared/comment x)\r\n", .data(.unknown)),
        ("* MULTIPLEX 0\r\n", .data(.unknown)),
        ("* ENABLED UTF8=ACCEPT\r\n", .data(.enabled)),
        // The reader removes surplus spaces.
        ("*  LIST () \"/\" x\r\n", nil),
        ("* XYZZY\r\n", .data(.unknown)),
        ("* OK hi\r\n", Self.status(.ok, "hi")),
        ("* OK\r\n", Self.status(.ok, "")),
        ("* OK [UIDNEXT 4] \r\n", Self.status(.ok, "[UIDNEXT 4] ")),
        ("* PREAUTH hi\r\n", Self.status(.preauth, "hi")),
        ("* BYE no\r\n", Self.status(.bye, "no")),
        ("* BAD x\r\n", Self.status(.bad, "x")),
        ("* OK[ALERT] x\r\n", nil),
        ("+ go\r\n", .continuation),
        ("+\r\n", .continuation),
        ("g1 OK done\r\n", Self.tagged("g1", .ok, "done")),
        ("G1 OK done\r\n", Self.tagged("G1", .ok, "done")),
        ("g1 ok\r\n", Self.tagged("g1", .ok, "")),
        ("g1 NO x\r\n", Self.tagged("g1", .no, "x")),
        ("g1 BAD x\r\n", Self.tagged("g1", .bad, "x")),
        ("g1 OKAY\r\n", nil),
        ("g1  OK\r\n", nil),
        ("g1\tOK\r\n", nil),
        ("g1 OK\tdone\r\n", nil),
        ("g1 BYE\r\n", nil),
        ("g1 PREAUTH\r\n", nil),
        ("g1\r\n", nil),
        (" OK\r\n", nil),
        ("g+1 OK\r\n", nil),
        ("220 smtp.example ESMTP\r\n", nil),
        ("HTTP/1.1 400 Bad Request\r\n", nil),
        ("SSH-2.0-x\r\n", nil),
        ("*\r\n", nil),
        ("\r\n", nil),
        ("", nil),
    ]

    @Test(arguments: heads)
    func `the kind of a response is parsed from its start`(line: String, expected: ResponseHead?) {
        #expect((try? ResponseHead(ByteBuffer(string: line))) == expected)
    }

    @Test func `tags are compared by octets`() throws {
        let upper = try ResponseHead(ByteBuffer(string: "G1 OK\r\n"))
        let lower = try ResponseHead(ByteBuffer(string: "g1 OK\r\n"))
        #expect(upper != lower)
    }
}
