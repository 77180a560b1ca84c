import IMAP
import NIOCore
import Testing

@Suite struct ResponseReaderTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var octets: [UInt8]
        var responses: [String]
        var error: SyntaxError.Reason?
        var testDescription: String { String(decoding: self.octets, as: UTF8.self) }

        init(_ text: String, _ responses: [String], _ error: SyntaxError.Reason? = nil) {
            self.octets = Array(text.utf8)
            self.responses = responses
            self.error = error
        }
    }

    static let responses: [Row] = [
        Row("", []),
        Row("* 1 EXISTS\r", []),
        Row("* 1 EXISTS\r\n", ["* 1 EXISTS\r\n"]),
        Row("* OK hi\r\nG1 OK done\r\n", ["* OK hi\r\n", "G1 OK done\r\n"]),
        Row(
            "* OK Hello \" foo\r\n* NO Hello bar\r\n",
            ["* OK Hello \" foo\r\n", "* NO Hello bar\r\n"]
        ),
        Row(
            "* 1 FETCH (BODY[] {5}\r\nhello)\r\nG1 OK\r\n",
            ["* 1 FETCH (BODY[] {5}\r\nhello)\r\n", "G1 OK\r\n"]
        ),
        // An empty literal does not block.
        Row(
            "* 1 FETCH (UID 9 BODY[1]<393216> {0}\r\n)\r\nG1 OK done\r\n",
            ["* 1 FETCH (UID 9 BODY[1]<393216> {0}\r\n)\r\n", "G1 OK done\r\n"]
        ),
        Row(
            "* 1 FETCH (BODY[1] {0}\r\n BODY[2] {2}\r\n\r\n)\r\n",
            ["* 1 FETCH (BODY[1] {0}\r\n BODY[2] {2}\r\n\r\n)\r\n"]
        ),
        Row(
            "* 1 FETCH (BINARY[1] ~{3}\r\na\0b)\r\n",
            ["* 1 FETCH (BINARY[1] ~{3}\r\na\0b)\r\n"]
        ),
        // The contents of a message are no response.
        Row(
            "* 1 FETCH (BODY[] {36}\r\n* LIST () \"/\" \"Akten\"\r\nG1 OK {9}\r\n\r\n)\r\nG1 OK\r\n",
            [
                "* 1 FETCH (BODY[] {36}\r\n* LIST () \"/\" \"Akten\"\r\nG1 OK {9}\r\n\r\n)\r\n",
                "G1 OK\r\n",
            ]
        ),
        Row("* LIST () \"/\" {5}\r\nINBOX\r\n", ["* LIST () \"/\" {5}\r\nINBOX\r\n"]),
        Row("* LIST () \"/\" {007}\r\nINBOX/a\r\n", ["* LIST () \"/\" {007}\r\nINBOX/a\r\n"]),
        // A brace in a name is no announcement.
        Row("* LIST () \"/\" a+}\r\n", ["* LIST () \"/\" a+}\r\n"]),
        Row("* LIST () \"/\" \"a {5}\"\r\n", ["* LIST () \"/\" \"a {5}\"\r\n"]),
        Row("* LIST () \"/\" 5}\r\n", ["* LIST () \"/\" 5}\r\n"]),
        // The text of a status may end like an announcement.
        Row("* OK Hello {5}\r\n* NO x\r\n", ["* OK Hello {5}\r\n", "* NO x\r\n"]),
        Row("* bye {5}\r\n* NO x\r\n", ["* bye {5}\r\n", "* NO x\r\n"]),
        Row("* PREAUTH {5+}\r\n* NO x\r\n", ["* PREAUTH {5+}\r\n", "* NO x\r\n"]),
        Row("G1 NO too many {3}\r\nG2 OK\r\n", ["G1 NO too many {3}\r\n", "G2 OK\r\n"]),
        Row("+ go {3}\r\n* 1 EXISTS\r\n", ["+ go {3}\r\n", "* 1 EXISTS\r\n"]),
        Row("* XYZZY {2}\r\nab\r\n", ["* XYZZY {2}\r\nab\r\n"]),
        // Surplus spaces between the first words, at any split.
        Row("*  1843 EXISTS\r\n", ["* 1843 EXISTS\r\n"]),
        Row("*   3   EXPUNGE  \r\n", ["* 3 EXPUNGE \r\n"]),
        Row("*  SEARCH  2  84\r\n", ["* SEARCH 2  84\r\n"]),
        Row("* SEARCH\r\n", ["* SEARCH\r\n"]),
        Row("*  OK  [UIDNEXT 4]  x\r\n", ["* OK [UIDNEXT 4]  x\r\n"]),
        Row("*  LIST  (a)  \"/\"  x\r\n", ["* LIST (a)  \"/\"  x\r\n"]),
        // A normalized line may contain literals in the same places.
        Row(
            "*  1  FETCH  (BODY[]  {5}\r\nhello)\r\nG1 OK\r\n",
            ["* 1 FETCH (BODY[]  {5}\r\nhello)\r\n", "G1 OK\r\n"]
        ),
        Row("*  OK Hello {5}\r\n* NO x\r\n", ["* OK Hello {5}\r\n", "* NO x\r\n"]),
        Row("*  LIST () \"/\"  {5}\r\nINBOX\r\n", ["* LIST () \"/\"  {5}\r\nINBOX\r\n"]),
        // A line with more spaces is no response and is passed on unchanged.
        Row(
            "*\(String(repeating: " ", count: 17))3 EXISTS\r\n",
            ["*\(String(repeating: " ", count: 17))3 EXISTS\r\n"]
        ),
    ]

    static let violations: [Row] = [
        // Line ends.
        Row("* 1 EXISTS\n", [], .malformedLineEnd),
        Row("* 1 EXISTS\rx", [], .malformedLineEnd),
        Row("* 1 EXISTS\r\r\n", [], .malformedLineEnd),
        Row("* 1\0 EXISTS\r\n", [], .malformedLineEnd),
        Row("G1 OK\r\nG2 OK\n", ["G1 OK\r\n"], .malformedLineEnd),
        // Announcements that no server sends.
        Row("* LIST () \"/\" {5+}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* LIST () \"/\" {+5}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* LIST () \"/\" {5-}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* LIST () \"/\" {-1}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* LIST () \"/\" { 5}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* LIST () \"/\" {}\r\nINBOX\r\n", [], .malformedLiteral),
        Row("* 1 FETCH (BODY[] {4294967296}\r\n", [], .literalTooLarge),
        Row("* 1 FETCH (BODY[] {99999999999}\r\n", [], .literalTooLarge),
        Row("* 1 FETCH (BODY[] {18446744073709551616}\r\n", [], .literalTooLarge),
        Row("* 1 FETCH (BODY[] {00000000000000000000005}\r\nhello", [], .literalTooLarge),
        // Data without strings: the next line would be a response for the client.
        Row("* 3 EXISTS {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* 3 EXPUNGE {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* 3 FETCH {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* SEARCH 1 {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* ESEARCH (TAG \"G1\") {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* VANISHED {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* FLAGS {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("*  3  EXISTS {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("*  SEARCH 1 {5}\r\nhello\r\n", [], .literalNotAllowed),
        Row("* 3  FETCH  {5}\r\nhello\r\n", [], .literalNotAllowed),
    ]

    @Test(arguments: responses + violations)
    func `octets become the same responses regardless of where they are split`(row: Row) {
        for arrivals in row.octets.everySplit {
            let reading = Reading(arrivals)
            #expect(reading.texts == row.responses, "cut into \(arrivals.map(\.count))")
            #expect(reading.error == row.error, "cut into \(arrivals.map(\.count))")
            #expect(reading.isInStep)
        }
    }

    @Test func `a literal is passed on as it arrives`() throws {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: "* 1 FETCH (BODY[] {300000}\r\n"))
        #expect(try reader.next()?.kind == .line)
        for _ in 0..<3 {
            let arrival = ByteBuffer(repeating: 0x61, count: 100_000)
            reader.receive(arrival)
            let piece = try reader.next()
            #expect(piece?.octets == arrival)
            #expect(piece?.kind == .literal)
            #expect(try reader.next() == nil)
            #expect(reader.bufferedOctets == 0)
            #expect(!reader.isBetweenResponses)
        }
        reader.receive(ByteBuffer(string: ")\r\n"))
        #expect(try reader.next()?.isLast == true)
        #expect(reader.isBetweenResponses)
    }

    @Test func `octets after the last piece can be taken out, and reading continues`() throws {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: "G1 OK begin\r\n* OK injected"))
        #expect(try reader.next()?.isLast == true)
        #expect(try reader.next() == nil)
        #expect(!reader.isBetweenResponses)
        #expect(reader.takeBuffered() == ByteBuffer(string: "* OK injected"))
        #expect(reader.isBetweenResponses)
        reader.receive(ByteBuffer(string: "* BYE\r\n"))
        #expect(try reader.next()?.octets == ByteBuffer(string: "* BYE\r\n"))
    }

    @Test func `a reader repeats its error`() {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: "* 1 EXISTS\n"))
        #expect(throws: SyntaxError.self) { try reader.next() }
        reader.receive(ByteBuffer(string: "G1 OK\r\n"))
        #expect(throws: SyntaxError.self) { try reader.next() }
    }
}
