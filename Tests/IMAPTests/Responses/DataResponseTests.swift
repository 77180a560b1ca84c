import IMAP
import NIOCore
import Testing

/// Responses that the gateway parses and encodes again.
@Suite struct DataResponseTests {
    /// A LIST from a server, and its encoding for a client; nil if it is refused.
    static let lists: [(String, String?)] = [
        ("* LIST (\\HasChildren) \"/\" Akten\r\n", "* LIST (\\HasChildren) \"/\" Akten\r\n"),
        ("* lsub () NIL INBOX\r\n", "* LIST () NIL INBOX\r\n"),
        ("* LIST () \".\" \"a b\"\r\n", "* LIST () \".\" \"a b\"\r\n"),
        ("* LIST () \".\" \"a\\\"\\\\b\"\r\n", "* LIST () \".\" \"a\\\"\\\\b\"\r\n"),
        ("* LIST () \"\\\\\" a\r\n", "* LIST () \"\\\\\" a\r\n"),
        ("* LIST () \"/\" {3}\r\na b\r\n", "* LIST () \"/\" \"a b\"\r\n"),
        ("* LIST () \"/\" {2}\r\n\u{E9}\r\n", "* LIST () \"/\" {2}\r\n\u{E9}\r\n"),
        // Octets that could end the line stay in the literal.
        ("* LIST () \"/\" {7}\r\nx\r\n* OK\r\n", "* LIST () \"/\" {7}\r\nx\r\n* OK\r\n"),
        ("* LIST () \"/\" \"NIL\"\r\n", "* LIST () \"/\" \"NIL\"\r\n"),
        ("* LIST () \"/\" \"\"\r\n", "* LIST () \"/\" \"\"\r\n"),
        ("* LIST () \"/\" a+}\r\n", "* LIST () \"/\" a+}\r\n"),
        (
            "* LIST () \".\" {3}\r\nA.b (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
            "* LIST () \".\" A.b\r\n"
        ),
        (
            "* LIST () \"/\" new (\"OLDNAME\" ({5}\r\n)))))))\r\n",
            "* LIST () \"/\" new\r\n"
        ),
        ("* LIST () \"/\" x \r\n", "* LIST () \"/\" x\r\n"),
        ("* LIST  ( a  b )  \"/\"  x  (\"CHILDINFO\" ()) \r\n", "* LIST (a b) \"/\" x\r\n"),
        ("* LIST () \"/\" \"Zu\ttun\"\r\n", "* LIST () \"/\" {6}\r\nZu\ttun\r\n"),
        ("* LIST () \"/\" \"M\u{FC}ller\"\r\n", "* LIST () \"/\" {7}\r\nM\u{FC}ller\r\n"),
        // A name is never truncated: `Caf` could be another mailbox.
        ("* LIST () \"/\" Caf\u{E9}\r\n", nil),
        ("* LIST () \"/\" Other Users/x\r\n", nil),
        ("* LIST () \"/\" Mandant 1\r\n", nil),
        ("* LIST () \"/\" Akten(alt)\r\n", nil),
        ("* LIST () \"/\" Akten (alt)\r\n", nil),
        ("* LIST () \"/\" \"Fritz\\Co\"\r\n", nil),
        ("* LIST (\"\\NonExistent\") \"/\" x\r\n", nil),
        ("* LIST (a(b)) \"/\" x\r\n", nil),
        ("* LIST NIL \"/\" x\r\n", nil),
        ("* LIST () \"/\" a%b\r\n", nil),
        ("* LIST () \"/\" \"a\"b\r\n", nil),
        ("* LIST () \"/\" \"a\u{0}b\"\r\n", nil),
        ("* LIST () \"/\" {3}\r\na\u{0}b\r\n", nil),
        ("* LIST () \"/\" {9}\r\nx\r\n", nil),
        ("* LIST () \"/\" x (\"CHILDINFO\"\r\n", nil),
        ("* LIST () \"/\" x () y\r\n", nil),
        ("* LIST () \"/\" x", nil),
        ("* LIST () \"/\"\r\n", nil),
        ("* LIST x \"/\" x\r\n", nil),
        ("* LIST (\\a \r\n", nil),
        // Delimiters.
        ("* LIST () \"\" x\r\n", nil),
        ("* LIST () \"ab\" x\r\n", nil),
        ("* LIST () \"\\\\\\\\\" x\r\n", nil),
        ("* LIST () \"\u{1}\" x\r\n", nil),
        ("* LIST () \"a\" x\r\n", nil),
        ("* LIST () \"7\" x\r\n", nil),
        ("* LIST () \"&\" x\r\n", nil),
        ("* LIST () \"*\" x\r\n", nil),
        ("* LIST () / x\r\n", nil),
        ("* LIST () \" \" x\r\n", nil),
    ]

    @Test(arguments: lists)
    func `a LIST is parsed completely and encoded again`(line: String, expected: String?) {
        let list = try? ListResponse(ByteBuffer(string: line))
        #expect(list.map { String(buffer: $0.encoded(isLsub: false)) } == expected)
    }

    @Test func `a LIST from the gateway parses as the same LIST`() throws {
        var list = ListResponse(
            attributes: [ByteBuffer(string: "\\HasChildren")],
            delimiter: UInt8(ascii: "/"),
            mailbox: ByteBuffer(string: "Other Users/anna@kanzlei.example")
        )
        list.childInfo = ["SUBSCRIBED"]
        let line = list.encoded(isLsub: false)
        #expect(
            String(buffer: line)
                == "* LIST (\\HasChildren) \"/\" \"Other Users/anna@kanzlei.example\""
                + " (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        )
        var read = try ListResponse(line)
        #expect(read != list)
        read.childInfo = list.childInfo
        #expect(read == list)
    }

    static let statuses: [(String, String?)] = [
        (
            "* STATUS INBOX (MESSAGES 3 UIDNEXT 4)\r\n",
            "* STATUS INBOX (MESSAGES 3 UIDNEXT 4)\r\n"
        ),
        // Exchange.
        ("* STATUS INBOX (MESSAGES 3) \r\n", "* STATUS INBOX (MESSAGES 3)\r\n"),
        ("* STATUS \"a b\" ()\r\n", "* STATUS \"a b\" ()\r\n"),
        (
            "* STATUS {1}\r\nx (APPENDLIMIT NIL MAILBOXID (F1-2))\r\n",
            "* STATUS x (APPENDLIMIT NIL MAILBOXID (F1-2))\r\n"
        ),
        ("* STATUS x (X-GUID 3 UNSEEN 1)\r\n", "* STATUS x (UNSEEN 1)\r\n"),
        (
            "* STATUS x (SIZE 9223372036854775807)\r\n",
            "* STATUS x (SIZE 9223372036854775807)\r\n"
        ),
        ("* STATUS  x  ( MESSAGES  3  UNSEEN 1 )\r\n", "* STATUS x (MESSAGES 3 UNSEEN 1)\r\n"),
        (
            "* STATUS x (X-A (b \"c)\") MESSAGES 3 X-B \"d\")\r\n",
            "* STATUS x (MESSAGES 3)\r\n"
        ),
        ("* STATUS x (SIZE 9223372036854775808)\r\n", nil),
        ("* STATUS x (SIZE 99999999999999999999999)\r\n", nil),
        ("* STATUS x (MESSAGES -1)\r\n", nil),
        ("* STATUS x (MESSAGES +1)\r\n", nil),
        ("* STATUS x (MESSAGES)\r\n", nil),
        ("* STATUS x MESSAGES 3\r\n", nil),
        ("* STATUS x (MESSAGES 3\r\n", nil),
        ("* STATUS x (MESSAGES 3) y\r\n", nil),
        ("* STATUS a b (MESSAGES 3)\r\n", nil),
        ("* STATUS x (MAILBOXID (a b))\r\n", nil),
    ]

    @Test(arguments: statuses)
    func `a STATUS is parsed completely and encoded again`(line: String, expected: String?) {
        let status = try? StatusResponse(ByteBuffer(string: line))
        #expect(status.map { String(buffer: $0.encoded) } == expected)
    }

    static let quotas: [(String, String?)] = [
        ("* QUOTA \"\" (STORAGE 10 512)\r\n", "* QUOTA \"\" (STORAGE 10 512)\r\n"),
        (
            "* QUOTA \"User quota\" (STORAGE 1 2 MESSAGE 3 4)\r\n",
            "* QUOTA \"User quota\" (STORAGE 1 2 MESSAGE 3 4)\r\n"
        ),
        ("* QUOTA x ()\r\n", "* QUOTA x ()\r\n"),
        // Courier.
        ("* QUOTA \"ROOT\"\r\n", "* QUOTA ROOT ()\r\n"),
        ("* QUOTA \"ROOT\" \r\n", "* QUOTA ROOT ()\r\n"),
        ("* QUOTA \"ROOT\" NIL\r\n", "* QUOTA ROOT ()\r\n"),
        ("* QUOTA  x  ( STORAGE  1  2 )\r\n", "* QUOTA x (STORAGE 1 2)\r\n"),
        ("* QUOTA x STORAGE 1 2\r\n", nil),
        ("* QUOTA x (STORAGE 1 -1)\r\n", nil),
        ("* QUOTAROOT  INBOX  a  b \r\n", "* QUOTAROOT INBOX a b\r\n"),
        ("* QUOTA x (STORAGE 1)\r\n", nil),
        ("* QUOTA x (STORAGE 1 2) y\r\n", nil),
        ("* QUOTA x (STORAGE 1 18446744073709551616)\r\n", nil),
        ("* QUOTAROOT INBOX \"\"\r\n", "* QUOTAROOT INBOX \"\"\r\n"),
        ("* QUOTAROOT INBOX a \"b c\"\r\n", "* QUOTAROOT INBOX a \"b c\"\r\n"),
        ("* QUOTAROOT INBOX\r\n", "* QUOTAROOT INBOX\r\n"),
        ("* QUOTAROOT INBOX a(\r\n", nil),
    ]

    @Test(arguments: quotas)
    func `a QUOTA and a QUOTAROOT are parsed completely and encoded again`(
        line: String,
        expected: String?
    ) {
        let octets = ByteBuffer(string: line)
        let encoded =
            (try? QuotaResponse(octets))?.encoded ?? (try? QuotaRootResponse(octets))?.encoded
        #expect(encoded.map { String(buffer: $0) } == expected)
    }

    static let namespaces: [(String, [String]?)] = [
        ("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", ["\"/\"", "", ""]),
        (
            "* NAMESPACE ((\"INBOX.\" \".\")(\"~\" NIL)) ((\"user.\" \".\")) ((\"\" \".\"))\r\n",
            ["INBOX.\".\"~NIL", "user.\".\"", "\".\""]
        ),
        (
            "* NAMESPACE ((\"\" \"/\" \"X-PARAM\" (\"a)\" {3}\r\n)))))) NIL NIL\r\n",
            ["\"/\"", "", ""]
        ),
        (
            "* NAMESPACE  ( (\"\"  \"/\") (\"a\" NIL) )  NIL  NIL \r\n",
            ["\"/\"aNIL", "", ""]
        ),
        ("* NAMESPACE NIL NIL\r\n", nil),
        ("* NAMESPACE NIL NIL NIL NIL\r\n", nil),
        ("* NAMESPACE ((\"\")) NIL NIL\r\n", nil),
        ("* NAMESPACE ((\"\" \"/\") NIL NIL\r\n", nil),
        ("* NAMESPACE (x) NIL NIL\r\n", nil),
    ]

    @Test(arguments: namespaces)
    func `namespaces are parsed with their delimiters`(line: String, expected: [String]?) {
        let read = try? NamespaceResponse(ByteBuffer(string: line))
        let shown = read.map { response in
            [response.personal, response.others, response.shared].map { namespaces in
                namespaces.map { namespace in
                    let delimiter = namespace.delimiter.map {
                        "\"\(Character(Unicode.Scalar($0)))\""
                    }
                    return String(buffer: namespace.prefix) + (delimiter ?? "NIL")
                }.joined()
            }
        }
        #expect(shown == expected)
    }

    static let capabilities: [(String, [String]?)] = [
        ("* CAPABILITY IMAP4rev1 auth=plain\r\n", ["IMAP4REV1", "AUTH=PLAIN"]),
        ("* CAPABILITY IMAP4rev1  IDLE \r\n", ["IMAP4REV1", "IDLE"]),
        ("* CAPABILITY IMAP4rev1\tIDLE\r\n", nil),
        ("* CAPABILITY IMAP4rev1 \u{E9}\r\n", nil),
        ("* CAPABILITY IMAP4rev1] x\r\n", nil),
    ]

    @Test(arguments: capabilities)
    func `capabilities are parsed in upper case`(line: String, expected: [String]?) {
        let read = try? CapabilityResponse(ByteBuffer(string: line))
        #expect(read?.capabilities == expected)
    }

    @Test func `a list of too many capabilities is refused`() {
        let line = "* CAPABILITY" + String(repeating: " X", count: 501) + "\r\n"
        #expect(throws: SyntaxError.self) { try CapabilityResponse(ByteBuffer(string: line)) }
    }

    static let flags: [(String, [String]?)] = [
        ("* FLAGS (\\Seen $Done)\r\n", ["\\Seen", "$Done"]),
        ("* FLAGS ()\r\n", []),
        // Not a flag, and unsuitable for a client: it would end a response code.
        ("* FLAGS (\\Seen a]b x%)\r\n", ["\\Seen"]),
        ("* FLAGS (\\Seen Wichtig(alt) $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen \"Zu tun\" $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen \"\\\" ) \" $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen M\u{FC}ller $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS  ( \\Seen  $A ) \r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen NIL nil $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS NIL\r\n", []),
        // Unpaired parentheses and quotes.
        ("* FLAGS (\\Seen :-) $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen :-( $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen \"Zu tun $A)\r\n", ["\\Seen"]),
        ("* FLAGS (\\Seen {5} $A)\r\n", ["\\Seen", "$A"]),
        ("* FLAGS (\\Seen\r\n", nil),
        ("* FLAGS (\\Seen) x\r\n", nil),
        ("* FLAGS \\Seen\r\n", nil),
    ]

    @Test(arguments: flags)
    func `elements of a flag list that are no flags are omitted`(line: String, expected: [String]?)
    {
        let read = try? FlagsResponse(ByteBuffer(string: line))
        #expect(read?.flags.map { String(buffer: $0) } == expected)
    }

    static let searches: [(String, String?, String?)] = [
        ("* ESEARCH (TAG \"G1\") UID COUNT 2\r\n", "G1", " UID COUNT 2\r\n"),
        ("* ESEARCH (TAG G1) ALL 1:4294967295\r\n", "G1", " ALL 1:4294967295\r\n"),
        ("* ESEARCH (TAG \"G1\")\r\n", "G1", "\r\n"),
        ("* ESEARCH UID COUNT 2\r\n", nil, " UID COUNT 2\r\n"),
        ("* ESEARCH  (TAG  \"G1\" ) COUNT 2\r\n", "G1", " COUNT 2\r\n"),
        ("* ESEARCH (TAG \"G1\")x\r\n", nil, nil),
        ("* ESEARCH (TAG \"G1\" MAILBOX x) COUNT 2\r\n", nil, nil),
        ("* ESEARCHX COUNT 2\r\n", nil, nil),
        ("* ESEARCH (TAG {2}\r\n", nil, nil),
    ]

    @Test(arguments: searches)
    func `the tag of an ESEARCH is parsed`(line: String, tag: String?, rest: String?) {
        let octets = ByteBuffer(string: line)
        let head = try? EsearchHead(octets)
        #expect(head?.tag.map { String(buffer: $0) } == tag)
        let remaining = head.map {
            String(decoding: line.utf8.dropFirst($0.restOffset), as: UTF8.self)
        }
        #expect(remaining == rest)
    }
}
