import IMAP
import NIOCore
import Testing

@Suite struct ReplyTests {
    private static let tag = ByteBuffer(string: "a1")

    static let texts: [(ReplyText, String)] = [
        (.completed("NOOP"), "OK NOOP completed"),
        (.completed("COPY", .tryCreate), "OK [TRYCREATE] COPY completed"),
        (.completed("COPY", .unknown), "OK COPY completed"),
        (.loggedIn(["IMAP4rev1", "IDLE"]), "OK [CAPABILITY IMAP4rev1 IDLE] Logged in"),
        (.selected(isReadOnly: true), "OK [READ-ONLY] SELECT completed"),
        (.selected(isReadOnly: false), "OK [READ-WRITE] SELECT completed"),
        (.status(.uidNext(4)), "OK [UIDNEXT 4] Ok"),
        (.noSuchMailbox, "NO [NONEXISTENT] No such mailbox"),
        (.notPermitted, "NO [NOPERM] Permission denied"),
        (.authenticationFailed, "NO [AUTHENTICATIONFAILED] Login failed"),
        (.privacyRequired, "NO [PRIVACYREQUIRED] Use TLS"),
        (.refusedByServer(nil), "NO Refused by the mail server"),
        (.refusedByServer(.overQuota), "NO [OVERQUOTA] Refused by the mail server"),
        (.badSyntax, "BAD Syntax error"),
        (.tooBig, "NO [TOOBIG] Too large"),
        (.tooManyParts, "NO [LIMIT] Too many or too deeply nested parts in one command"),
        (.bye(.loggedOut), "BYE Logging out"),
        (.bye(.shuttingDown), "BYE [UNAVAILABLE] Shutting down, come back soon"),
    ]

    @Test(arguments: texts)
    func `a reply text has its condition and response code`(text: ReplyText, expected: String) {
        #expect(String(buffer: Reply.tagged(Self.tag, text: text)) == "a1 \(expected)\r\n")
        #expect(String(buffer: Reply.untagged(text)) == "* \(expected)\r\n")
    }

    static let data: [(ByteBuffer, String)] = [
        (Reply.capability(["IMAP4rev1", "IDLE"]), "* CAPABILITY IMAP4rev1 IDLE"),
        (Reply.enabled([]), "* ENABLED"),
        (Reply.enabled(["CONDSTORE"]), "* ENABLED CONDSTORE"),
        (Reply.id(name: "Gatepost"), "* ID (\"name\" \"Gatepost\")"),
        (
            Reply.flags([ByteBuffer(string: "\\Seen"), ByteBuffer(string: "x")]),
            "* FLAGS (\\Seen x)"
        ),
        (Reply.flags([]), "* FLAGS ()"),
        (Reply.listRoot(delimiter: UInt8(ascii: "/")), "* LIST (\\Noselect) \"/\" \"\""),
        (
            Reply.namespace(
                personal: [[]],
                others: [Array("Other Users/".utf8)],
                shared: [],
                delimiter: UInt8(ascii: "/")
            ),
            "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) NIL"
        ),
        (
            Reply.namespace(
                personal: [Array("a\"b".utf8)],
                others: [],
                shared: [],
                delimiter: UInt8(ascii: "\\")
            ),
            "* NAMESPACE ((\"a\\\"b\" \"\\\\\")) NIL NIL"
        ),
        (Reply.esearchHead(tag: ByteBuffer(string: "a1")), "* ESEARCH (TAG \"a1\")"),
        (Reply.myRights(ByteBuffer(string: "INBOX"), rights: "lr"), "* MYRIGHTS INBOX lr"),
        (Reply.myRights(ByteBuffer(string: "a b"), rights: ""), "* MYRIGHTS \"a b\" \"\""),
        (
            Reply.acl(
                ByteBuffer(string: "INBOX"),
                entries: [("anna@kanzlei.example", "lr"), ("b \"c", "l")]
            ),
            "* ACL INBOX anna@kanzlei.example lr \"b \\\"c\" l"
        ),
        (
            Reply.listRights(
                ByteBuffer(string: "INBOX"),
                identifier: ByteBuffer(string: "bob@kanzlei.example"),
                required: "",
                optional: ["l", "r"]
            ),
            "* LISTRIGHTS INBOX bob@kanzlei.example \"\" l r"
        ),
    ]

    @Test(arguments: data)
    func `data is encoded in the grammar's spelling`(line: ByteBuffer, expected: String) {
        let written = String(buffer: line)
        #expect(written == expected + (written.hasSuffix("\r\n") ? "\r\n" : ""))
    }

    /// Octets of a client in a reply become a literal if they could be misread.
    @Test func `octets of a name cannot end the line`() {
        let name = ByteBuffer(string: "x\r\n* OK [ALERT] pwned\r\nA1 OK\r\n")
        let line = Reply.myRights(name, rights: "lr")
        #expect(
            String(buffer: line) == "* MYRIGHTS {30}\r\nx\r\n* OK [ALERT] pwned\r\nA1 OK\r\n lr\r\n"
        )
    }

    static let printable: [(String, String)] = [
        ("* OK ready\r\n", "* OK ready"),
        ("a\u{1B}[2Jb\u{0}\u{7F}", "a?[2Jb??"),
        ("\u{E9}", "??"),
        (String(repeating: "a", count: 600), String(repeating: "a", count: 512)),
    ]

    @Test(arguments: printable)
    func `a server's text is shown as printable ASCII`(text: String, expected: String) {
        #expect(Reply.printable(ByteBuffer(string: text), maximumOctets: 512) == expected)
    }
}
