import NIOCore
import Testing

@testable import SMTP

/// Fields of a header, and what a message says of its authors.
@Suite struct HeaderTests {
    private static func header(_ text: String) throws(Header.Fault) -> Header {
        try Header(ByteBuffer(string: text))
    }

    @Test func `a field has a name in lower case, a body with its folding, and a place`() throws {
        let text = "From: a@x.example\r\nX-Long: one\r\n two\r\n\tthree\r\nSUBJECT:\r\n"
        let header = try Self.header(text)
        #expect(header.fields.map(\.name) == ["from", "x-long", "subject"])
        #expect(
            header.fields.map { String(decoding: $0.body, as: UTF8.self) }
                == [" a@x.example", " one\r\n two\r\n\tthree", ""]
        )
        let octets = Array(text.utf8)
        #expect(header.fields.flatMap { Array(octets[$0.range]) } == octets)
        #expect(header.field("x-long") == header.fields[1])
        #expect(header.field("X-Long") == nil && header.field("to") == nil)
    }

    @Test func `a part of a buffer has offsets of its own`() throws {
        var buffer = ByteBuffer(string: "MAIL\r\nFrom: a@x.example\r\nTo: b@x.example\r\n")
        buffer.moveReaderIndex(forwardBy: 6)
        let header = try Header(buffer)
        #expect(header.fields.map(\.range) == [0..<19, 19..<36])
    }

    /// Fields that may stand in a message once.
    @Test(arguments: [
        "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
        "subject", "date", "mime-version", "content-type", "content-transfer-encoding",
        "content-disposition", "content-id",
    ])
    func `a singular field stands once, in any case`(name: String) throws {
        #expect(throws: Header.Fault.repeated(name)) {
            try Self.header("\(name): a\r\nX: b\r\n\(name.uppercased()): c\r\n")
        }
        #expect(try Self.header("\(name): a\r\nX-\(name): b\r\n").fields.count == 2)
    }

    @Test(arguments: ["received", "resent-from", "resent-sender", "comments", "keywords", "x-y"])
    func `another field stands as often as it likes`(name: String) throws {
        #expect(try Self.header("\(name): a\r\n\(name): a\r\n").fields.count == 2)
    }

    @Test(arguments: [
        "A: b", "A: b\n", "A: b\r", "\r\n", "A\r\n", "A b\r\n", ": b\r\n", " A: b\r\n", "A : b\r\n",
        "A\t: b\r\n", "\u{E4}: b\r\n", "A\u{0}: b\r\n", "A: b\r\n \r\n", "A: b\r\n\t \r\n",
        "A: b\r\n\r\n",
        "A: b\n B: c\r\n", "\u{7F}: b\r\n",
    ])
    func `what two readers cut in different ways is refused`(text: String) {
        #expect(throws: Header.Fault.malformedLine) { try Self.header(text) }
    }

    @Test func `a block has a thousand fields`() throws {
        let field = "X: y\r\n"
        let most = String(repeating: field, count: Header.maximumFields)
        #expect(try Self.header(most).fields.count == Header.maximumFields)
        #expect(throws: Header.Fault.tooLarge) { try Self.header(most + field) }
    }

    /// Octets of a line, and whether it is longer than a line may be.
    @Test(arguments: [(997, false), (998, false), (999, true), (2_000, true)])
    func `a line has 998 octets without its end`(count: Int, isLong: Bool) throws {
        let first = "From:" + String(repeating: "a", count: count - 5)
        #expect(try Self.header(first + "\r\n").fields[0].hasLongLine == isLong)
        let folded = "From: a\r\n" + String(repeating: " ", count: count - 1) + "a\r\n b\r\n"
        #expect(try Self.header(folded).fields[0].hasLongLine == isLong)
    }

    /// Message-IDs, and whether they are one on one line.
    @Test(arguments: [
        (" <a@x>", "<a@x>"), ("<a@x> ", "<a@x>"), ("\t<a@x>\t", "<a@x>"), ("\r\n <a@x>", "<a@x>"),
        ("", nil), (" ", nil), (" <a@x> <b@x>", nil), (" <a\u{E4}@x>", nil),
        (" <a@x>\r\n <b@x>", nil),
    ])
    func `a Message-ID is one word`(body: String, expected: String?) throws {
        let header = try Self.header("Message-ID:\(body)\r\nFrom: a@x.example\r\n")
        #expect(header.messageID == expected.map { Array($0.utf8) })
    }

    // MARK: - Authors

    private static func authors(_ text: String, own: [String] = []) throws -> Authors {
        try Authors(
            try self.header(text),
            isInternational: false,
            own: own.map { Array($0.utf8) }
        )
    }

    private static func texts(_ mailboxes: [Mailbox]) -> [String] {
        mailboxes.map { String(decoding: $0.address, as: UTF8.self) }
    }

    @Test func `every field that names an author is read`() throws {
        let authors = try Self.authors(
            "Resent-From: r1@x.example, r2@x.example\r\nFrom: a@x.example, B <b@x.example>\r\n"
                + "Sender: S <s@x.example>\r\nTo: !!!\r\nResent-Sender: rs@x.example\r\n"
                + "Resent-From: r3@x.example\r\nReply-To: <<<\r\n"
        )
        #expect(Self.texts(authors.from) == ["a@x.example", "b@x.example"])
        #expect(authors.from.map(\.isNamed) == [false, true])
        #expect(authors.sender.map { Self.texts([$0]) } == ["s@x.example"])
        #expect(
            Self.texts(authors.resent)
                == ["r1@x.example", "r2@x.example", "rs@x.example", "r3@x.example"]
        )
        #expect(authors.signatures.map(\.name) == [.sender, .resentSender])
    }

    /// Headers, and why they are refused.
    static let refused: [(String, Header.Fault)] = [
        ("", .missingFrom), ("To: a@x.example\r\n", .missingFrom),
        ("Sender: a@x.example\r\n", .missingFrom),
        ("From:\r\n", .malformedAddress("from", .malformed)),
        (
            "From: a@x.example\r\nSender: a@x.example, b@x.example\r\n",
            .malformedAddress("sender", .malformed)
        ),
        ("From: a@x.example\r\nSender:\r\n", .malformedAddress("sender", .malformed)),
        (
            "From: a@x.example\r\nResent-Sender: a@x.example, b@x.example\r\n",
            .malformedAddress("resent-sender", .malformed)
        ),
        (
            "From: a@x.example\r\nResent-From: \u{E4}@x.example\r\n",
            .malformedAddress("resent-from", .notEncoded)
        ),
        ("From: \"b@x.example\" <a@x.example>\r\n", .malformedAddress("from", .foreignAddress)),
        (
            "From: \(String(repeating: "a", count: 1_000))@x.example\r\n",
            .malformedAddress("from", .longLine)
        ),
        ("From: a@x.example\r\nFROM: a@x.example\r\n", .repeated("from")),
    ]

    @Test(arguments: refused)
    func `a field of an author that is not plain refuses the message`(
        text: String,
        fault: Header.Fault
    ) {
        #expect(throws: fault) { try Self.authors(text) }
    }

    @Test func `the fields of authors have sixteen KiB together`() throws {
        let field = "Resent-From: \(String(repeating: " ", count: 900))\r\n r@x.example\r\n"
        var text = "From: a@x.example\r\n"
        for _ in 0..<17 { text += field }
        _ = try Self.authors(text)
        #expect(throws: Header.Fault.tooLarge) { try Self.authors(text + field) }
    }

    @Test func `a name may show the user's own addresses`() throws {
        let text = "From: \"b@x.example\" <a@x.example>\r\n"
        _ = try Self.authors(text, own: ["b@x.example"])
        #expect(throws: Header.Fault.self) { try Self.authors(text, own: ["c@x.example"]) }
    }

    // MARK: - Signatures

    private static func signed(_ text: String, name: String?) throws -> String {
        let signature = SignatureField(
            address: Array("anna@x.example".utf8),
            name: name.map { Array($0.utf8) }
        )
        let pieces = try self.authors(text).signed(ByteBuffer(string: text), by: signature)
        return pieces.map { String(buffer: $0) }.joined()
    }

    /// Headers, the name of the user, and what becomes of the header.
    static let signatures: [(String, String?, String)] = [
        ("From: i@x.example\r\n", nil, "Sender: <anna@x.example>\r\nFrom: i@x.example\r\n"),
        (
            "From: i@x.example\r\n", "Anna A.",
            "Sender: \"Anna A.\" <anna@x.example>\r\nFrom: i@x.example\r\n"
        ),
        (
            "From: i@x.example\r\nSender: ANNA@x.example\r\nTo: b@x.example\r\n", "Anna",
            "From: i@x.example\r\nSender: \"Anna\" <anna@x.example>\r\nTo: b@x.example\r\n"
        ),
        (
            "Sender: anna@x.example\r\nFrom: i@x.example\r\n", nil,
            "Sender: anna@x.example\r\nFrom: i@x.example\r\n"
        ),
        (
            "Sender: \"Chef\" <anna@x.example>\r\nFrom: i@x.example\r\n", nil,
            "Sender: <anna@x.example>\r\nFrom: i@x.example\r\n"
        ),
        (
            "Sender: \"Anna\" <anna@x.example>\r\nFrom: i@x.example\r\n", "Anna",
            "Sender: \"Anna\" <anna@x.example>\r\nFrom: i@x.example\r\n"
        ),
        // Somebody else's stays; what is resent is signed as well.
        (
            "Resent-Sender: \"Chef\" <anna@x.example>\r\nFrom: i@x.example\r\nSender: anna@x.example\r\n",
            "A",
            "Resent-Sender: \"A\" <anna@x.example>\r\nFrom: i@x.example\r\nSender: \"A\" <anna@x.example>\r\n"
        ),
        (
            "Resent-Sender: carl@x.example\r\nFrom: i@x.example\r\n", nil,
            "Sender: <anna@x.example>\r\nResent-Sender: carl@x.example\r\nFrom: i@x.example\r\n"
        ),
    ]

    @Test(arguments: signatures)
    func `a signature says who sent it, and changes nothing else`(
        text: String,
        name: String?,
        expected: String
    ) throws {
        #expect(try Self.signed(text, name: name) == expected)
        // Signed again, it says so already.
        #expect(try Self.signed(expected, name: name) == expected)
    }

    /// Names that the gateway shows, and those that it leaves out.
    @Test(arguments: [
        ("Anna", true), ("B\u{FC}ro", true), ("Anna \"A\" \\", true), ("", false), ("  ", false),
        ("a\tb", false),
        ("b@x.example", false), ("a\u{202E}b", false), ("a\u{200B}b", false), ("a\nb", false),
        ("<b>", false),
        (String(repeating: "a", count: 200), true), (String(repeating: "a", count: 201), false),
        ("anna@x.example", true), ("=?utf-8?Q?b=40x.example?=", false),
    ])
    func `a name that would be refused in a message is left out`(name: String, isShown: Bool) throws
    {
        let field = SignatureField(address: Array("anna@x.example".utf8), name: Array(name.utf8))
        #expect((field.name != nil) == isShown)
        // What is written is read as one mailbox with this address, on lines that nobody cuts.
        let text = "From: i@x.example\r\n" + String(decoding: field.encoded(.sender), as: UTF8.self)
        let authors = try Self.authors(text)
        #expect(authors.sender?.address == Array("anna@x.example".utf8))
        #expect(authors.isSigned(by: field))
        for line in text.split(separator: "\r\n") { #expect(line.utf8.count <= 998) }
    }
}
