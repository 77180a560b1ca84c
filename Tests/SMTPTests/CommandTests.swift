import NIOCore
import SASL
import SMTP
import Testing

@Suite struct CommandTests {
    /// The arguments of MAIL, and the encoded path; nil if they are refused.
    static let mails: [(String, String?)] = [
        ("FROM:<anna@kanzlei.example>", "<anna@kanzlei.example>"),
        ("from:<Anna@Kanzlei.Example>", "<Anna@Kanzlei.Example>"),
        ("FROM: <anna@kanzlei.example>", "<anna@kanzlei.example>"),
        ("FROM:<\"anna\"@kanzlei.example>", "<anna@kanzlei.example>"),
        ("FROM:<\"a b\"@kanzlei.example>", "<\"a b\"@kanzlei.example>"),
        ("FROM:<\"a\\\"b\"@kanzlei.example>", "<\"a\\\"b\"@kanzlei.example>"),
        ("FROM:<\"a@b\"@kanzlei.example>", "<\"a@b\"@kanzlei.example>"),
        ("FROM:<anna@[127.0.0.1]>", "<anna@[127.0.0.1]>"),
        ("FROM:<anna@[IPv6:::1]>", "<anna@[IPv6:::1]>"),
        ("FROM:<>", ""),
        ("FROM:<ä@x.example> SMTPUTF8", "<ä@x.example>"),
        ("FROM:<ä@x.example>", nil),
        ("FROM:anna@kanzlei.example", "<anna@kanzlei.example>"),
        ("FROM:  anna@kanzlei.example  SIZE=5 ", "<anna@kanzlei.example>"),
        (" FROM:<anna@kanzlei.example> ", "<anna@kanzlei.example>"),
        ("FROM:anna@kanzlei.example>", nil),
        ("FROM:anna@kanzlei.example <>", nil),
        ("FROM:\"anna\"@kanzlei.example", nil),
        ("FROM:an<na@kanzlei.example", nil),
        ("FROM:an na@kanzlei.example", nil),
        ("FROM:", nil),
        ("FROM:anna", nil),
        ("FROM:an..na@kanzlei.example", nil),
        ("FROM:<an..na@kanzlei.example>", nil),
        ("FROM:<anna@kanzlei.example", nil),
        ("FROM:<anna@kanzlei.example>x", nil),
        ("FROM :<anna@kanzlei.example>", nil),
        ("FROM:<@evil.example:anna@kanzlei.example>", nil),
        ("FROM:<@evil.example,@b:anna@kanzlei.example>", nil),
        ("FROM:<anna>", nil),
        ("FROM:<anna@>", nil),
        ("FROM:<@kanzlei.example>", nil),
        ("FROM:<\"\"@kanzlei.example>", nil),
        ("FROM:<anna@kanzlei.example.>", nil),
        ("FROM:<anna@kanzlei..example>", nil),
        ("FROM:<anna@-x.example>", nil),
        ("FROM:<.anna@kanzlei.example>", nil),
        ("FROM:<anna.@kanzlei.example>", nil),
        ("FROM:<an na@kanzlei.example>", nil),
        ("FROM:<anna@kanzlei.example><bob@kanzlei.example>", nil),
        ("FROM:<\"anna@kanzlei.example>", nil),
        ("FROM:<an\u{1}na@kanzlei.example>", nil),
        ("FROM:<\(String(repeating: "a", count: 65))@x.example>", nil),
        ("FROM:<a@\(String(repeating: "a.", count: 130))example>", nil),
        ("FROM:<a@x.example> SIZE=5 SIZE=6", nil),
        ("FROM:<a@x.example> SIZE=", nil),
        ("FROM:<a@x.example> SIZE=-1", nil),
        ("FROM:<a@x.example> SIZE=99999999999999999999", nil),
        ("FROM:<a@x.example> BODY=8BITMIME BODY=7BIT", nil),
        ("FROM:<a@x.example> BODY=BINARYMIME", nil),
        ("FROM:<a@x.example> SMTPUTF8=1", nil),
        ("FROM:<a@x.example> ENVID=a+0D+0AMAIL", nil),
        ("FROM:<a@x.example> ENVID=a+00", nil),
        ("FROM:<a@x.example> ENVID=a+2", nil),
        ("FROM:<a@x.example> ENVID=\(String(repeating: "a", count: 101))", nil),
        ("FROM:<a@x.example> ENVID=\(String(repeating: "a", count: 98))+2B", nil),
        ("FROM:<a@x.example> ENVID=\(String(repeating: "a", count: 97))+2B", "<a@x.example>"),
        ("FROM:<a@x.example> RET=ALL", nil),
        ("FROM:<a@x.example> HOLDFOR=5", nil),
        ("FROM:<a@x.example> AUTH", nil),
        ("FROM:<a@x.example> SIZE=5 BODY=7bit RET=hdrs ENVID=a+2Bb AUTH=<>", "<a@x.example>"),
        ("TO:<a@x.example>", nil),
    ]

    @Test(arguments: mails)
    func `a reverse-path is parsed strictly`(arguments: String, path: String?) {
        let command = try? SubmissionCommand(line: Array("MAIL \(arguments)".utf8))
        guard case .mail(let mail) = command else {
            #expect(path == nil, "refused")
            return
        }
        #expect(mail.path.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "" == path)
    }

    static let recipients: [(String, Bool)] = [
        ("TO:<a@x.example>", true), ("TO:<a@x.example> NOTIFY=SUCCESS,delay", true),
        ("TO:<a@x.example> NOTIFY=NEVER", true), ("TO:<a@x.example> NOTIFY=NEVER,FAILURE", false),
        ("TO:<a@x.example> NOTIFY=FAILURE,FAILURE", false), ("TO:<a@x.example> NOTIFY=", false),
        ("TO:<a@x.example> ORCPT=rfc822;a+40x", true),
        ("TO:<a@x.example> ORCPT=rfc822;v+00", false),
        ("TO:<a@x.example> ORCPT=rfc822;v+0D+0ARCPT", false), ("TO:<a@x.example> ORCPT=;v", false),
        ("TO:<>", false), ("TO:<a@x.example> SIZE=5", false), ("FROM:<a@x.example>", false),
    ]

    /// Recipients, and their encoding for a server.
    static let dotted: [(String, String?)] = [
        ("TO:<a..b@carrier.example>", "<\"a..b\"@carrier.example>"),
        ("TO:<.a@carrier.example>", "<\".a\"@carrier.example>"),
        ("TO:<a.@carrier.example> NOTIFY=NEVER", "<\"a.\"@carrier.example>"),
        ("TO:a..b@carrier.example", "<\"a..b\"@carrier.example>"),
        ("TO:<\"a..b\"@carrier.example>", "<\"a..b\"@carrier.example>"),
        ("TO:a.b@carrier.example", "<a.b@carrier.example>"),
        ("TO:  <a.b@carrier.example> ", "<a.b@carrier.example>"),
        ("TO:<..@carrier.example>", nil), ("TO:<.@carrier.example>", nil),
        ("TO:<a..b@carrier.example", nil), ("TO:a..b@carrier.example>", nil),
        ("TO:<a..b@carrier..example>", nil), ("TO:<a..b@.carrier.example>", nil),
        ("TO:<a..b>@carrier.example>", nil), ("TO:<a..b@carrier.example>SIZE=1", nil),
        ("TO:<a..\"b\"@carrier.example>", nil), ("TO:<a.. b@carrier.example>", nil),
        ("TO:a..b@carrier.example,c@x.example", nil), ("TO:@x:a..b@carrier.example", nil),
    ]

    @Test(arguments: dotted)
    func `a recipient with unusual dots is passed to the server`(
        arguments: String,
        path: String?
    ) {
        let command = try? SubmissionCommand(line: Array("RCPT \(arguments)".utf8))
        guard case .rcpt(let recipient) = command else {
            #expect(path == nil, "refused")
            return
        }
        #expect(String(decoding: recipient.path.encoded, as: UTF8.self) == path)
    }

    @Test(arguments: recipients)
    func `a forward-path is parsed strictly`(arguments: String, isGood: Bool) {
        let command = try? SubmissionCommand(line: Array("RCPT \(arguments)".utf8))
        #expect((command != nil) == isGood)
    }

    static let others: [(String, SubmissionCommand?)] = [
        ("EHLO x.example", .ehlo), ("ehlo [127.0.0.1]", .ehlo), ("HELO x", .helo), ("EHLO", nil),
        ("EHLO a b", nil), ("LHLO x", nil), ("DATA", .data), ("DATA  ", .data), ("DATA x", nil),
        ("RSET", .rset), ("NOOP anything", .noop), ("QUIT", .quit), ("VRFY x", .vrfy),
        ("STARTTLS", .startTLS), ("BURL x", .unserved), ("XCLIENT NAME=x", .unserved),
        ("BDAT 0", .bdat(count: 0, isLast: false)), ("BDAT 5 last", .bdat(count: 5, isLast: true)),
        ("BDAT", nil), ("BDAT -1", nil), ("BDAT +5", nil), ("BDAT 5x", nil),
        ("BDAT 5 LAST LAST", nil), ("BDAT 18446744073709551621 LAST", nil),
        ("BDAT 5  LAST ", .bdat(count: 5, isLast: true)), ("BDAT 5 6", nil),
        ("EHLO pc.example ", .ehlo), ("EHLO  pc.example", .ehlo), ("EHLO ", nil), ("RSET ", .rset),
        (
            "AUTH  PLAIN  AA== ",
            .auth(mechanism: Array("PLAIN".utf8), initialResponse: Secret(Array("AA==".utf8)))
        ),
        ("AUTH PLAIN", .auth(mechanism: Array("PLAIN".utf8), initialResponse: nil)),
        (
            "AUTH PLAIN =",
            .auth(mechanism: Array("PLAIN".utf8), initialResponse: Secret(Array("=".utf8)))
        ),
        ("AUTH", nil), ("AUTH PLAIN a b", nil), ("", nil), (" NOOP", nil), ("XYZZY", nil),
        ("NOOP\u{0}", nil), ("ＮＯＯＰ", nil),
    ]

    @Test(arguments: others)
    func `a command is parsed or refused`(line: String, expected: SubmissionCommand?) {
        #expect((try? SubmissionCommand(line: Array(line.utf8))) == expected)
    }

    @Test func `the description of AUTH does not show the initial response`() throws {
        let command = try SubmissionCommand(line: Array("AUTH PLAIN c2VjcmV0".utf8))
        #expect(!"\(command)".contains("\(UInt8(ascii: "c")), \(UInt8(ascii: "2"))"))
        #expect("\(command)".contains("(redacted)"))
    }

    static let lines: [(String, [String?])] = [
        ("NOOP\r\nRSET\r\n", ["NOOP", "RSET"]), ("NOOP\nRSET\r\n", [nil, "RSET"]),
        ("NO\rOP\r\n", [nil]), ("NO\0OP\r\n", [nil]), ("\r\n", [""]), ("NOOP\r\r\n", [nil]),
    ]

    @Test(arguments: lines)
    func `only CR LF ends a line`(wire: String, expected: [String?]) {
        var input = ByteBuffer(string: wire)
        var found: [String?] = []
        var discarded = 0
        while input.readableBytes > 0 {
            do {
                guard let line = try CommandLine.next(&input, discarded: &discarded) else { break }
                found.append(String(decoding: line, as: UTF8.self))
            } catch {
                #expect(error == .bareLineEnd)
                found.append(nil)
            }
        }
        #expect(found == expected)
    }

    @Test(
        arguments: [("\n", SubmissionError.bareLineEnd), ("\r\n", .lineTooLong)],
        [1, 2, 100_000]
    )
    func `a line that is too long and ends with a bare LF is no command line`(
        end: (octets: String, error: SubmissionError),
        count: Int
    ) throws {
        var input = ByteBuffer()
        var discarded = 0
        let line = String(repeating: "A", count: 3 * CommandLine.maximumOctets) + end.octets
        var rest = Array(line.utf8)[...]
        var errors: [SubmissionError] = []
        while !rest.isEmpty {
            input.writeBytes(rest.prefix(count))
            rest = rest.dropFirst(count)
            do {
                #expect(try CommandLine.next(&input, discarded: &discarded) == nil)
            } catch {
                errors.append(error)
            }
        }
        #expect(errors == [end.error])
        #expect(input.readableBytes == 0 && discarded == 0)
    }

    @Test func `a line that is too long is discarded up to its end`() throws {
        for count in [1, 2, 1_000, 100_000] {
            var input = ByteBuffer()
            var discarded = 0
            var found: [String] = []
            let long = String(repeating: "A", count: CommandLine.maximumOctets)
            var rest = Array("\(long)\r\nNOOP\r\n".utf8)[...]
            while !rest.isEmpty {
                input.writeBytes(rest.prefix(count))
                rest = rest.dropFirst(count)
                while input.readableBytes > 0 {
                    do {
                        guard let line = try CommandLine.next(&input, discarded: &discarded)
                        else { break }
                        found.append(String(decoding: line, as: UTF8.self))
                    } catch {
                        #expect(error == .lineTooLong)
                        found.append("!")
                    }
                }
            }
            #expect(found == ["!", "NOOP"], "cut every \(count) octets")
        }
    }

    @Test func `a line without end is refused`() throws {
        var input = ByteBuffer()
        var discarded = 0
        for _ in 0..<CommandLine.maximumDiscardedOctets / 8_192 {
            input.writeRepeatingByte(0x41, count: 8_192)
            #expect(try CommandLine.next(&input, discarded: &discarded) == nil)
            // The last octet may be the CR of the line end.
            #expect(input.readableBytes == 1)
        }
        input.writeRepeatingByte(0x41, count: 8_192)
        #expect(throws: SubmissionError.endlessLine) {
            try CommandLine.next(&input, discarded: &discarded)
        }
    }
}
