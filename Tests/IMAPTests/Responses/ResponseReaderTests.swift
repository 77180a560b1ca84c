import IMAP
import NIOCore
import Support
import Testing

@Suite struct ResponseReaderTests {
    /// Whole responses, joined from their pieces; `!` where the reader refuses.
    private static func responses(_ text: String, chunk: Int) -> [String] {
        var reader = ResponseReader()
        var found: [String] = []
        var current = ""
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let piece = octets.prefix(chunk)
            octets = octets.dropFirst(piece.count)
            reader.receive(ByteBuffer(bytes: piece))
            do {
                while let piece = try reader.next() {
                    if piece.isFirst { #expect(current.isEmpty) }
                    current += String(buffer: piece.octets)
                    guard piece.isLast else { continue }
                    found.append(current)
                    current = ""
                }
            } catch {
                return found + ["!"]
            }
            #expect(
                reader.bufferedOctets <= ResponseReader.maximumFragmentOctets + chunk % 1_000_000
            )
        }
        return found
    }

    static let rows: [(String, [String])] = [
        ("* 1 EXISTS\r\n", ["* 1 EXISTS\r\n"]),
        ("* OK hi\r\nG1 OK done\r\n", ["* OK hi\r\n", "G1 OK done\r\n"]),
        (
            "* 1 FETCH (BODY[] {5}\r\nhello)\r\nG1 OK\r\n",
            ["* 1 FETCH (BODY[] {5}\r\nhello)\r\n", "G1 OK\r\n"]
        ),
        (
            "* 1 FETCH (BODY[1] {0}\r\n BODY[2] {2}\r\n\r\n)\r\n",
            ["* 1 FETCH (BODY[1] {0}\r\n BODY[2] {2}\r\n\r\n)\r\n"]
        ),
        // The text of a status may end like an announcement.
        ("* OK Hello {5}\r\n* NO x\r\n", ["* OK Hello {5}\r\n", "* NO x\r\n"]),
        ("G1 NO too many {3}\r\nG2 OK\r\n", ["G1 NO too many {3}\r\n", "G2 OK\r\n"]),
        ("+ go {3}\r\n* 1 EXISTS\r\n", ["+ go {3}\r\n", "* 1 EXISTS\r\n"]),
        ("* OK Hello \" foo\r\n* NO bar\r\n", ["* OK Hello \" foo\r\n", "* NO bar\r\n"]),
        (
            "* LIST () \"/\" {5}\r\nINBOX\r\n",
            ["* LIST () \"/\" {5}\r\nINBOX\r\n"]
        ),
        ("* LIST () \"/\" {5+}\r\nINBOX\r\n", ["!"]),
        ("* 1 FETCH (BODY[] {99999999999}\r\n", ["!"]),
        ("* 1 FETCH (BODY[] {18446744073709551616}\r\n", ["!"]),
        ("* 1 EXISTS\n", ["!"]),
        ("* 1 EXISTS\rx", ["!"]),
        ("* 1\0 EXISTS\r\n", ["!"]),
        ("* 1 FETCH (FLAGS () X {-1}\r\n)\r\n", ["* 1 FETCH (FLAGS () X {-1}\r\n", ")\r\n"]),
    ]

    @Test(arguments: rows)
    func `octets become these responses, wherever they are cut`(text: String, expected: [String]) {
        for chunk in [1, 2, 3, 7, Int.max] {
            #expect(Self.responses(text, chunk: chunk) == expected, "cut every \(chunk) octets")
        }
    }

    @Test(arguments: [1_000, 16_384, 20_000, 1_000_000])
    func `a long line passes in fragments and whole`(chunk: Int) {
        let line = "* SEARCH" + String(repeating: " 1234567", count: 20_000) + "\r\n"
        #expect(Self.responses(line, chunk: chunk) == [line])
    }

    @Test func `an announcement at the end of a long line is never cut`() {
        for padding in 16_360...16_400 {
            let head = "* 1 FETCH (X " + String(repeating: "y", count: padding)
            let text = head + " BODY[] {5}\r\nhello)\r\n"
            for chunk in [1_000, 16_384, 16_390, Int.max] {
                #expect(Self.responses(text, chunk: chunk) == [text])
            }
        }
    }

    @Test func `mutated responses neither trap nor depend on their cuts`() {
        var generator = Seeded(state: 11)
        let seeds = Self.rows.map { Array($0.0.utf8) }
        let spice = Array("{}+\"\\\r\n\0 *()5".utf8)
        for _ in 0..<20_000 {
            var octets = seeds.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !octets.isEmpty {
                let place = Int.random(in: 0..<octets.count, using: &generator)
                octets[place] = spice.randomElement(using: &generator) ?? 0
            }
            let text = String(decoding: octets, as: UTF8.self)
            #expect(Self.responses(text, chunk: 1) == Self.responses(text, chunk: .max))
        }
    }

    static let heads: [(String, ResponseHead?)] = [
        ("* 3 EXISTS\r\n", .numbered(3, .exists)),
        ("* 0 RECENT\r\n", .numbered(0, .recent)),
        ("* 0 EXPUNGE\r\n", nil),
        ("* 0 FETCH (FLAGS ())\r\n", nil),
        ("* 4294967296 EXISTS\r\n", nil),
        ("* LIST () \"/\" x\r\n", .data(.list)),
        ("* XYZZY 1\r\n", .data(.unknown)),
        ("+ go\r\n", .continuation),
        ("+\r\n", .continuation),
        (
            "g1 OK done\r\n",
            .tagged(tag: ByteBuffer(string: "g1"), .ok, text: ByteBuffer(string: "done"))
        ),
        ("g1 OK\r\n", .tagged(tag: ByteBuffer(string: "g1"), .ok, text: ByteBuffer())),
        ("g1 OKAY\r\n", nil),
        ("g1  OK\r\n", nil),
        ("g1\tOK\r\n", nil),
        ("g1 BYE\r\n", nil),
        ("220 smtp.example ESMTP\r\n", nil),
        ("HTTP/1.1 400 Bad Request\r\n", nil),
        ("\r\n", nil),
    ]

    @Test(arguments: heads)
    func `a response is known by its beginning`(line: String, expected: ResponseHead?) {
        #expect((try? ResponseHead(ByteBuffer(string: line))) == expected)
    }
}

@Suite struct ResponseParsingTests {
    @Test func `a LIST with extended data is read without it`() throws {
        let line = "* LIST (\\HasChildren) \".\" {3}\r\nA.b (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        let list = try ListResponse(ByteBuffer(string: line))
        #expect(String(buffer: list.mailbox) == "A.b")
        #expect(list.delimiter == UInt8(ascii: "."))
    }

    @Test(arguments: [
        "* LIST () \"ab\" x\r\n", "* LIST () \"\u{1}\" x\r\n", "* LIST x \"/\" x\r\n",
        "* LIST () \"/\"\r\n",
    ])
    func `a LIST that is none is refused`(line: String) {
        #expect(throws: SyntaxError.self) { try ListResponse(ByteBuffer(string: line)) }
    }

    static let codes: [(String, String)] = [
        ("[UIDVALIDITY 7] x", "[UIDVALIDITY 7] "),
        ("[COPYUID 1 1:4294967295 1:4294967295] x", "[COPYUID 1 1:4294967295 1:4294967295] "),
        ("[APPENDUID 7 99]", "[APPENDUID 7 99] "),
        ("[PERMANENTFLAGS (\\Seen \\*)] x", "[PERMANENTFLAGS (\\Seen \\*)] "),
        ("[READ-ONLY] x", "[READ-ONLY] "),
        ("[REFERRAL imap://evil.example/] x", ""),
        ("[NEWNAME a b] x", ""),
        ("[XYZZY] x", ""),
        ("[MODIFIED 7,9] x", "[MODIFIED 7,9] "),
        ("no code", ""),
    ]

    @Test(arguments: codes)
    func `a code passes when it is known, written anew`(text: String, written: String) throws {
        let code = try ResponseText(ByteBuffer(string: text)).code
        let line = Reply.tagged(ByteBuffer(string: "a"), .completed("X", code))
        #expect(String(buffer: line) == "a OK \(written)X completed\r\n")
    }

    @Test(arguments: ["[UIDVALIDITY 0] x", "[UIDNEXT abc] x", "[COPYUID 1 2] x", "[UIDVALIDITY 7"])
    func `a code with a wrong value is refused`(text: String) {
        #expect(throws: SyntaxError.self) { try ResponseText(ByteBuffer(string: text)) }
    }

    static let renamed: [(String, String)] = [
        ("* 1 FETCH (BODY[] {5}\r\n", "* 1 FETCH (RFC822 {5}\r\n"),
        ("* 1 FETCH (UID 4 BODY[TEXT] NIL)\r\n", "* 1 FETCH (UID 4 RFC822.TEXT NIL)\r\n"),
        (
            "* 1 FETCH (ENVELOPE (NIL \"BODY[] x\" NIL) BODY[1] \"BODY[]\")\r\n",
            "* 1 FETCH (ENVELOPE (NIL \"BODY[] x\" NIL) BODY[1] \"BODY[]\")\r\n"
        ),
        ("* 1 FETCH (FLAGS (BODY[] \\Seen))\r\n", "* 1 FETCH (FLAGS (BODY[] \\Seen))\r\n"),
    ]

    @Test(arguments: renamed)
    func `items are renamed where they are items`(line: String, expected: String) {
        for cut in 0...line.utf8.count {
            var renamer = FetchItemRenamer()
            let octets = Array(line.utf8)
            var result = renamer.rename(ByteBuffer(bytes: octets[..<cut]))
            var rest = renamer.rename(ByteBuffer(bytes: octets[cut...]))
            result.writeBuffer(&rest)
            #expect(String(buffer: result) == expected)
        }
    }
}
