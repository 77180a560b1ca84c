import Testing

@testable import SMTP

/// The addresses of MAIL and RCPT, and the domains in them.
@Suite struct PathTests {
    private static func parse(
        _ text: String,
        _ party: Path.Party
    ) throws(SubmissionError) -> (path: Path?, rest: String) {
        var rest = Array(text.utf8)[...]
        let path = try Path.parse(&rest, of: party)
        return (path, String(decoding: rest, as: UTF8.self))
    }

    /// What is read, the local part without quotes, the domain, and what is left.
    static let paths: [(String, String, String, String)] = [
        ("<a@x.example>", "a", "x.example", ""),
        ("<a@x.example> SIZE=5", "a", "x.example", " SIZE=5"),
        ("a@x.example SIZE=5", "a", "x.example", " SIZE=5"),
        ("<A.B@X.Example>x", "A.B", "X.Example", "x"),
        ("<\"a b\"@x.example>", "a b", "x.example", ""), ("<\"a\\\"b\"@x>", "a\"b", "x", ""),
        ("<\"a>b\"@x>", "a>b", "x", ""), ("<\"a@b\"@x>", "a@b", "x", ""),
        ("<a@[127.0.0.1]>", "a", "[127.0.0.1]", ""),
        ("<\u{E4}@b\u{FC}ro.example>", "\u{E4}", "b\u{FC}ro.example", ""),
        ("<a@x_y.example>", "a", "x_y.example", ""),
        ("<!#$%&'*+-/=?^_`{|}~@x>", "!#$%&'*+-/=?^_`{|}~", "x", ""),
    ]

    @Test(arguments: paths)
    func `a path is a local part and a domain`(
        text: String,
        local: String,
        domain: String,
        rest: String
    ) throws {
        for party in [Path.Party.sender, .recipient] {
            let (found, left) = try Self.parse(text, party)
            let path = try #require(found)
            #expect(path.local == Array(local.utf8) && path.domain == Array(domain.utf8))
            #expect(path.address == Array("\(local)@\(domain)".utf8))
            #expect(left == rest)
            // As it goes to a server it is read again as the same.
            let encoded = String(decoding: path.encoded, as: UTF8.self)
            #expect(try Self.parse(encoded, party).path == path)
            #expect(path.isInternational == path.address.contains { $0 >= 0x80 })
        }
    }

    @Test(arguments: [
        "", "<", "<a", "<a@", "<a@x", "<@x>", "<a>", "<a@>", "<a@x.>", "<a@.x>", "<a@x..y>",
        "<a@-x>",
        "<a@x->", "<a@x y>", "<a@x\u{0}>", "<a@@x>", "<a,b@x>", "<a:b@x>", "<(c)a@x>", "< a@x>",
        "<a @x>", "<\"a@x>", "<\"\"@x>", "<\"a\"b@x>", "<\"a\n\"@x>", "<\"a\\\n\"@x>",
        "<\"a\\\u{7F}\"@x>",
        "\"a\"@x", "<@b:a@x>", "<a@[127.0.0.1>", "<a@[a b]>", "<a@[]b>", "<.@x>", "<..@x>",
    ])
    func `what is no path is refused`(text: String) {
        for party in [Path.Party.sender, .recipient] {
            #expect(throws: SubmissionError.malformedPath) { try Self.parse(text, party) }
        }
    }

    @Test(arguments: ["<>", "<> SIZE=5"])
    func `the null path is none`(text: String) throws {
        #expect(try Self.parse(text, .sender).path == nil)
        #expect(try Self.parse(text, .sender).rest == String(text.dropFirst(2)))
    }

    /// A large carrier gave such addresses out: a server gets them in quotes.
    @Test(arguments: [
        ("<a..b@x>", "<\"a..b\"@x>"), ("<.a@x>", "<\".a\"@x>"), ("<a.@x>", "<\"a.\"@x>"),
    ])
    func `odd dots are a recipient's alone`(text: String, encoded: String) throws {
        #expect(throws: SubmissionError.malformedPath) { try Self.parse(text, .sender) }
        let path = try #require(try Self.parse(text, .recipient).path)
        #expect(String(decoding: path.encoded, as: UTF8.self) == encoded)
    }

    /// Octets of the local part and of the domain, and whether the path is short enough.
    @Test(arguments: [
        (64, 10, true), (65, 10, false), (1, 252, true), (1, 253, false), (64, 190, false),
    ])
    func `a path is as long as the RFC has it`(local: Int, domain: Int, isTaken: Bool) {
        // Labels of 9 octets and a dot.
        var text = ""
        while text.utf8.count < domain { text += text.utf8.count % 10 == 9 ? "." : "x" }
        if text.hasSuffix(".") { text = text.dropLast() + "y" }
        let path = "<\(String(repeating: "a", count: local))@\(text)>"
        #expect(((try? Self.parse(path, .sender)) != nil) == isTaken, "\(path.utf8.count)")
    }

    @Test(arguments: [
        ("x", true), ("x.example", true), ("x-y.example", true), ("x_y", true), ("1.2", true),
        ("b\u{FC}ro.example", true), ("[IPv6:::1]", true), ("[1.2.3.4]", true), ("[]", true),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
        ("", false), (".", false), ("x.", false), (".x", false), ("x..y", false), ("-x", false),
        ("x-", false), ("a.-b", false), ("a b", false), ("a@b", false), ("[a]b", false),
        ("[a_b]", false),
        ("a;b", false), ("a/b", false),
    ])
    func `a domain is labels, or an address in brackets`(domain: String, isValid: Bool) {
        #expect(Domain.isValid(Array(domain.utf8)) == isValid)
    }
}
