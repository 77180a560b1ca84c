import IMAP
import NIOCore
import Testing

/// The collection of whole responses: one limit and one policy for longer ones.
@Suite struct ResponseCollectorTests {
    private static let limit = ResponseCollector.maximumOctets

    /// The responses in a server's octets, which arrive in socket reads.
    private static func read(_ text: String, chunk: Int) throws(SyntaxError) -> [String] {
        var reader = WholeResponseReader()
        var octets = ByteBuffer(string: text)
        var responses: [String] = []
        while let piece = octets.readSlice(length: min(chunk, octets.readableBytes)),
            piece.readableBytes > 0
        {
            reader.receive(piece)
            while let response = try reader.next() { responses.append(String(buffer: response)) }
        }
        return responses
    }

    @Test(arguments: [1, 1_000, 1 << 20])
    func `responses are collected with their literals`(chunk: Int) throws {
        let responses = [
            "* LIST () \"/\" {3}\r\na b\r\n", "* 1 FETCH (BODY[] {5}\r\n\r\n)x\r UID 1)\r\n",
            "+ go on\r\n",
            "a1 OK done\r\n",
        ]
        #expect(try Self.read(responses.joined(), chunk: chunk) == responses)
    }

    @Test(arguments: [
        "* LIST () \"/\" \"", "* STATUS x (", "* CAPABILITY ", "* 1 FETCH (", "* NAMESPACE ",
        "* ESEARCH ",
        "* OK ", "+ ", "a1 OK ",
    ])
    func `a response over the limit ends the connection`(head: String) {
        for chunk in [1_000, 1 << 20] {
            #expect(throws: SyntaxError.self) {
                try Self.read(
                    head + String(repeating: "x ", count: Self.limit) + "\r\n",
                    chunk: chunk
                )
            }
        }
    }

    @Test(arguments: [1_000, 16_384, 1 << 20])
    func `FLAGS and SEARCH over the limit are omitted`(chunk: Int) throws {
        for (head, element, end) in [
            ("* FLAGS (", "kw12345 ", ")"), ("* SEARCH ", "4294967295 ", ""),
        ] {
            let long = head + String(repeating: element, count: 20_000) + "1\(end)\r\n"
            let short = head + String(repeating: element, count: 5_000) + "1\(end)\r\n"
            let read = try Self.read(long + "a1 OK x\r\n" + short, chunk: chunk)
            #expect(read == ["a1 OK x\r\n", short])
        }
    }

    @Test func `octets after the last response are available`() throws {
        var reader = WholeResponseReader()
        reader.receive(ByteBuffer(string: "* OK x\r\n* 1 EX"))
        #expect(try reader.next() == ByteBuffer(string: "* OK x\r\n"))
        #expect(reader.bufferedOctets == 6)
        #expect(reader.takeBuffered() == ByteBuffer(string: "* 1 EX"))
    }
}
