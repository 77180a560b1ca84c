import NIOCore
import SMTP
import Testing

/// Display names that are allowed, and the faults of others.
@Suite struct DisplayNameTests {
    typealias Fault = AddressFault

    /// The text after `From:`, and its fault; nil if it is accepted.
    static let fields: [(String, Fault?)] = [
        (" Müller <a@x.example>", .notEncoded), (" \"Müller\" <a@x.example>", .notEncoded),
        (" =?utf-8?Q?b=KGx.example?= <a@x.example>", .encodedWord),
        (" =?utf-8?Q?M=FCller?= <a@x.example>", .notUTF8),
        (" =?utf-7?Q?Anna?= <a@x.example>", .charset),
        (" =?utf-8?Q?a=0Ab?= <a@x.example>", .control),
        (" =?utf-8?Q?a=E2=80=AEb?= <a@x.example>", .direction),
        (" =?utf-8?Q?a=E2=80=8Bb?= <a@x.example>", .invisible),
        (" \"<b\" <a@x.example>", .angleBracket),
        (" =?gb2312?B?YqPAeA==?= <a@x.example>", .atSign),
        (" \"b@x.example\" <a@x.example>", .foreignAddress),
        (" Execs: a@x.example;", .malformed),
        // Base64 has exact padding and no surplus bits (RFC 4648 §3.5).
        (" =?utf-8?B?QW5uYQ==?= <a@x.example>", nil), (" =?utf-8?b?QW5u?= <a@x.example>", nil),
        (" =?utf-8?B?QW5uYQ?= <a@x.example>", .encodedWord),
        (" =?utf-8?B?QW5uYR==?= <a@x.example>", .encodedWord),
        (" =?utf-8?B?QW==bmE=?= <a@x.example>", .encodedWord),
        (" =?utf-8?B?QW-u?= <a@x.example>", .encodedWord),
        (" =?utf-8?B?QW5uY===?= <a@x.example>", .encodedWord),
        // Charsets and languages have one spelling (RFC 2231 §5).
        (" =?UTF-8?q?a?= <a@x.example>", nil), (" =?windows-1252?Q?a=92b?= <a@x.example>", nil),
        (" =?windows-874?Q?=AD?= <a@x.example>", nil), (" =?koi8-r?Q?=AD?= <a@x.example>", nil),
        (" =?utf-8*de?Q?a?= <a@x.example>", nil), (" =?utf-8*?Q?a?= <a@x.example>", .encodedWord),
        (" =?utf-8*d_?Q?a?= <a@x.example>", .encodedWord),
        (" =?iso-8859-12?Q?a?= <a@x.example>", .charset),
        (" =?latin?Q?a?= <a@x.example>", .charset),
        (" =?iso-2022-jp?B?GyRCOjM=?= <a@x.example>", .charset),
        (" =?euc-kr?Q?=A1=A9?= <a@x.example>", .invisible),
        (" =?ks_c_5601-1987?Q?=C0a?= <a@x.example>", nil),
        // The user's own address, and texts that are no address.
        (" \"a (a@x.example)\" <a@x.example>", nil), (" \"a@X.Example.\" <a@x.example>", nil),
        (" \"„a@x.example“\" <a@x.example>", .notEncoded),
        (" =?utf-8?Q?=E2=80=9Ea=40x=2Eexample=E2=80=9C?= <a@x.example>", nil),
        (" \"mailto:a@x.example\" <a@x.example>", nil),
        (" \"a@x.example b@x.example\" <a@x.example>", .foreignAddress),
        (" \"b/a@x.example\" <a@x.example>", .foreignAddress),
        (" \"a@x.example-b\" <a@x.example>", .foreignAddress),
        (" \"an\" \"na@x.example\" <na@x.example>", nil),
        (" \"an\"\"na@x.example\" <na@x.example>", .foreignAddress),
        (" \"o'b@x.example\" <o'b@x.example>", nil),
        (" \"o'b@x.example\" <b@x.example>", .foreignAddress),
        (" \"Anna @ St. Gallen\" <a@x.example>", nil), (" \"Anna @home.\" <a@x.example>", nil),
        (" \"@anna\" <a@x.example>", nil), (" \"Anna (@anna.example)\" <a@x.example>", nil),
        (" \"Anna @anna.example\" <a@x.example>", .foreignAddress),
        (" \"b@ (c) x.example\" <a@x.example>", .foreignAddress),
        (" \"b@\" (c) x.example <a@x.example>", .foreignAddress),
        (" =?gb2312?B?VGlja2V0c0C5q8u+?= <a@x.example>", nil),
        (" =?iso-8859-1?Q?Tickets=40M=FCller?= <a@x.example>", nil),
        // Some programs show comments after the name.
        (" (x.example) \"b@\" <a@x.example>", .foreignAddress),
        (" \"b@@x.example\" <a@x.example>", .foreignAddress),
        (" \"b@\" \"@x.example\" <a@x.example>", .foreignAddress),
        (" \"\(String(repeating: "@", count: 900))\" <a@x.example>", nil),
        // A program that joins comments shows `b @x.example`.
        (" a@x.example (b) (@x.example)", .foreignAddress),
        (" \"b (@x.example)\" <a@x.example>", nil), (" b (@x.example) <a@x.example>", nil),
        (" \"b(@x.example)\" <a@x.example>", .foreignAddress),
        (" \"b (@x).example\" <a@x.example>", .foreignAddress),
        (" \"b (@x.example\" <a@x.example>", .foreignAddress),
        (" \"b (@ x.example)\" <a@x.example>", .foreignAddress),
        // An unnecessary backslash.
        (" \"a\\b\"@x.example", .malformed), (" \"ab\"@x.example", nil),
    ]

    @Test(arguments: fields)
    func `a field is refused with its fault`(body: String, fault: Fault?) {
        #expect(Self.fault(Array(body.utf8), isInternational: false) == fault)
    }

    /// With SMTPUTF8.
    static let international: [([UInt8], Fault?)] = [
        (Array(" Müller <a@x.example>".utf8), nil),
        (Array(" M".utf8) + [0xFC] + Array("ller <a@x.example>".utf8), .notUTF8),
        (Array(" \"M".utf8) + [0xC3] + Array("\" <a@x.example>".utf8), .notUTF8),
        (Array(" (".utf8) + [0xED, 0xA0, 0x80] + Array(") a@x.example".utf8), .notUTF8),
        (Array(" Anna\u{2028}Bob <a@x.example>".utf8), .control),
        (Array(" Anna\u{85}Bob <a@x.example>".utf8), .control),
        (Array(" \"Anna \u{202E}boB\" <a@x.example>".utf8), .direction),
        (Array(" a@x.example (Anna\u{2066})".utf8), .direction),
        (Array(" B\u{200B}ob <a@x.example>".utf8), .invisible),
        (Array(" B\u{34F}ob <a@x.example>".utf8), .invisible),
        (Array(" B\u{2800}ob <a@x.example>".utf8), .invisible),
        // The strict rule also applies to Persian and Indic names with a joiner.
        (Array(" علی\u{200C}رضا <a@x.example>".utf8), .invisible),
        (Array(" علی رضا <a@x.example>".utf8), nil),
        (Array(" नेहा <a@x.example>".utf8), nil), (Array(" 山田　太郎 <a@x.example>".utf8), nil),
        (Array(" Anna 👩\u{200D}⚖\u{FE0F} <a@x.example>".utf8), nil),
        (Array(" Anna ❤\u{FE0F} <a@x.example>".utf8), nil),
        (Array(" Anna 👩\u{200D} <a@x.example>".utf8), .invisible),
        (Array(" A\u{200D}nna <a@x.example>".utf8), .invisible),
        (Array(" A\u{FE0F}nna <a@x.example>".utf8), .invisible),
        (Array(" \"b＠x。example\" <a@x.example>".utf8), .foreignAddress),
        (Array(" \"b@x.会社\" <a@x.example>".utf8), .foreignAddress),
        (Array(" \"受付@会社\" <a@x.example>".utf8), nil),
        // A raw name and an encoded word are joined in both readings.
        (Array(" ü@ <a@x.example>".utf8), .malformed),
        (Array(" \"ü@\" =?utf-8?Q?x.example?= <a@x.example>".utf8), .foreignAddress),
    ]

    @Test(arguments: international)
    func `a name outside ASCII is UTF-8 with visible characters`(body: [UInt8], fault: Fault?) {
        #expect(Self.fault(body, isInternational: true) == fault)
    }

    @Test func `a name may contain the user's other addresses`() {
        let body = Array(" \"Office (b@x.example)\" <a@x.example>".utf8)
        #expect(Self.fault(body, isInternational: false) == .foreignAddress)
        let found = try? AddressParser.mailboxes(
            body,
            isInternational: false,
            own: [Array("b@x.example".utf8)]
        )
        #expect(found?.first?.isNamed == true)
    }

    static func fault(_ body: [UInt8], isInternational: Bool) -> Fault? {
        do {
            _ = try AddressParser.mailboxes(body, isInternational: isInternational)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Fields

    /// Headers, and their faults.
    static let headers: [(String, Header.Fault?)] = [
        ("From: \"\(String(repeating: "x", count: 976))\" <a@x.example>\r\n", nil),
        (
            "From: \"\(String(repeating: "x", count: 977))\" <a@x.example>\r\n",
            .malformedAddress("from", .longLine)
        ),
        (
            "From: a@x.example\r\nResent-Sender: \"a\r\n \(String(repeating: "x", count: 999))\" <a@x.example>\r\n",
            .malformedAddress("resent-sender", .longLine)
        ),
        ("From: a@x.example\r\nX-A: \(String(repeating: "x", count: 2_000))\r\n", nil),
        (
            "From: a@x.example\r\nSender: Müller <a@x.example>\r\n",
            .malformedAddress("sender", .notEncoded)
        ),
        (
            "From: a@x.example\r\nResent-From: =?utf-8?Q?b=KG?= <a@x.example>\r\n",
            .malformedAddress("resent-from", .encodedWord)
        ),
        (
            "From: a@x.example\r\nResent-Sender: a@x.example, b@x.example\r\n",
            .malformedAddress("resent-sender", .malformed)
        ),
        (
            "From: a@x.example\r\n"
                + String(
                    repeating:
                        "Resent-From: \"\(String(repeating: "x", count: 900))\" <a@x.example>\r\n",
                    count: 20
                ),
            .tooLarge
        ),
        ("Sender: a@x.example\r\n", .missingFrom),
    ]

    @Test(arguments: headers)
    func `every originator field has the same rules`(block: String, fault: Header.Fault?) {
        do {
            _ = try Authors(Header(ByteBuffer(string: block)), isInternational: false)
            #expect(fault == nil)
        } catch {
            #expect(error == fault)
        }
    }

    // MARK: - Fields that the gateway writes

    /// A name in the store, and the resulting field.
    static let signatures: [(String?, String)] = [
        (nil, "Sender: <a@x.example>"), ("Anna Arendt", "Sender: \"Anna Arendt\" <a@x.example>"),
        ("Anna \"A\\\" Arendt", "Sender: \"Anna \\\"A\\\\\\\" Arendt\" <a@x.example>"),
        ("Jürgen", "Sender: =?utf-8?Q?J=C3=BCrgen?= <a@x.example>"),
        ("Anna. Ü", "Sender: =?utf-8?Q?Anna=2E_=C3=9C?= <a@x.example>"),
        (
            "山田山田山田",
            "Sender: =?utf-8?Q?=E5=B1=B1=E7=94=B0=E5=B1=B1=E7=94=B0=E5=B1=B1?=\r\n"
                + " =?utf-8?Q?=E7=94=B0?=\r\n <a@x.example>"
        ),
        ("Anna (a@x.example)", "Sender: \"Anna (a@x.example)\" <a@x.example>"),
        // The gateway does not write a name that it would refuse.
        ("b@x.example", "Sender: <a@x.example>"),
        ("Anna\r\nBcc: b@x.example", "Sender: <a@x.example>"),
        ("Anna\u{202E}", "Sender: <a@x.example>"), ("Anna <b>", "Sender: <a@x.example>"),
        (" ", "Sender: <a@x.example>"),
        (String(repeating: "x", count: 201), "Sender: <a@x.example>"),
        ("=?utf-8?Q?b=40x.example?=", "Sender: <a@x.example>"), ("=?x", "Sender: <a@x.example>"),
    ]

    @Test(arguments: signatures)
    func `the gateway writes a name that every program reads alike`(
        name: String?,
        field: String
    ) throws {
        let address = Array("a@x.example".utf8)
        let signature = SignatureField(address: address, name: name.map { Array($0.utf8) })
        let octets = signature.encoded(.sender)
        #expect(String(decoding: octets, as: UTF8.self) == field + "\r\n")
        #expect(octets.split(separator: 0x0A).allSatisfy { $0.count <= 998 })
        let header = try Header(ByteBuffer(bytes: Array("From: a@x.example\r\n".utf8) + octets))
        let authors = try Authors(header, isInternational: false)
        #expect(authors.sender?.address == address)
        #expect(authors.isSigned(by: signature))
    }

    /// The client's header, and the header that is sent.
    static let signed: [(String, String)] = [
        ("From: b\r\n", "Sender: \"Anna\" <a@x.example>\r\nFrom: b\r\n"),
        ("Sender: A@x.example\r\nFrom: b\r\n", "Sender: \"Anna\" <a@x.example>\r\nFrom: b\r\n"),
        (
            "X: 1\r\nSender:\r\n Bob\r\n <a@x.example>\r\n",
            "X: 1\r\nSender: \"Anna\" <a@x.example>\r\n"
        ),
        (
            "Sender: \"Anna\" <a@x.example>\r\nX:\r\n y\r\n",
            "Sender: \"Anna\" <a@x.example>\r\nX:\r\n y\r\n"
        ),
        (
            "Resent-Sender: Bob <a@x.example>\r\nSender: Bob <a@x.example>\r\nResent-Sender: Bob <b@x.example>\r\n",
            "Resent-Sender: \"Anna\" <a@x.example>\r\nSender: \"Anna\" <a@x.example>\r\n"
                + "Resent-Sender: Bob <b@x.example>\r\n"
        ),
    ]

    @Test(arguments: signed)
    func `a signature replaces the client's Sender and nothing else`(
        before: String,
        after: String
    ) throws {
        let block = before.replacing("From: b\r\n", with: "")
        var buffer = ByteBuffer(string: "skipped")
        buffer.moveReaderIndex(to: buffer.writerIndex)
        buffer.writeString(block + "From: b@x.example\r\n")
        let authors = try Authors(Header(buffer), isInternational: false)
        let signature = SignatureField(
            address: Array("a@x.example".utf8),
            name: Array("Anna".utf8)
        )
        let pieces = authors.signed(buffer, by: signature).flatMap { $0.readableBytesView }
        let expected = after.replacing("From: b\r\n", with: "") + "From: b@x.example\r\n"
        #expect(String(decoding: pieces, as: UTF8.self) == expected)
    }
}
