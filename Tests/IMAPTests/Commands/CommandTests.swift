import IMAP
import NIOCore
import Testing

@Suite struct CommandTests {
    /// A command on the wire, and its encoding for a server with the mailbox renamed to `UP`; nil
    /// if the command is malformed.
    static let rows: [(String, String?)] = [
        ("FETCH 1 FLAGS", "FETCH 1 FLAGS"),
        ("fetch 5:1 (flags uid)", "FETCH 1:5 (FLAGS UID)"),
        ("UID FETCH *:4294967295 FAST", "UID FETCH 4294967295:* FAST"),
        ("FETCH 1,3:*,7 ALL", "FETCH 1,3:*,7 ALL"),
        ("FETCH 1 BODY[]", "FETCH 1 BODY[]"),
        ("FETCH 1 body.peek[1.2.header]<0.100>", "FETCH 1 BODY.PEEK[1.2.HEADER]<0.100>"),
        (
            "FETCH 1 BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject from)]",
            "FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject from)]"
        ),
        ("FETCH 1 BODY[HEADER.FIELDS.NOT (To)]", "FETCH 1 BODY[HEADER.FIELDS.NOT (To)]"),
        ("FETCH 1 BINARY.PEEK[1]<5.6>", "FETCH 1 BINARY.PEEK[1]<5.6>"),
        ("FETCH 1 (PREVIEW (LAZY) SAVEDATE MODSEQ)", "FETCH 1 (PREVIEW (LAZY) SAVEDATE MODSEQ)"),
        ("FETCH 1 FLAGS (CHANGEDSINCE 5)", "FETCH 1 FLAGS (CHANGEDSINCE 5)"),
        (
            "UID FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)",
            "UID FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)"
        ),
        ("FETCH 1 FLAGS (VANISHED)", nil),
        ("FETCH 0 FLAGS", nil),
        ("FETCH 4294967296 FLAGS", nil),
        ("FETCH 1 BODY[]<0.4294967296>", nil),
        ("FETCH 1 BODY[]<5>", nil),
        ("FETCH 1 BODY[]<0.0>", nil),
        ("FETCH 1 FLAGS)", nil),
        ("FETCH 1 (FLAGS)BODY[]", nil),
        ("FETCH 1 (FLAGS X-GM-LABELS)", nil),
        ("FETCH 1 X-PRIV[1]", nil),
        ("FETCH {1+}\r\n1 FLAGS", nil),
        ("FETCH 1 BODY.PEEK[HEADER.FIELDS ({3+}\r\nX)]\r\n)]", nil),
        ("FETCH 1 BODY[1.MIME]", "FETCH 1 BODY[1.MIME]"),
        ("FETCH 1 BODY[MIME]", nil),
        ("UID UID FETCH 1 FLAGS", nil),
        ("UID NOOP", nil),
        ("STORE 1 +FLAGS (\\Seen $Done)", "STORE 1 +FLAGS (\\Seen $Done)"),
        ("STORE 1 -flags.silent \\Deleted \\Draft", "STORE 1 -FLAGS.SILENT (\\Deleted \\Draft)"),
        ("UID STORE 1 (UNCHANGEDSINCE 5) FLAGS ()", "UID STORE 1 (UNCHANGEDSINCE 5) FLAGS ()"),
        ("STORE 1 +FLAGS (\"a b\")", nil),
        ("STORE 1 +FLAGS (\\Recent)", nil),
        ("STORE 1 +FLAGS (\\*)", nil),
        ("STORE 1 +X-GM-LABELS (Private)", nil),
        ("STORE 1 {6+}\r\n+FLAGS (\\Deleted)", nil),
        ("SEARCH ALL", "SEARCH ALL"),
        (
            "SEARCH UNSEEN FROM \"a b\" NOT (OR TO x CC y)",
            "SEARCH UNSEEN FROM \"a b\" NOT (OR TO x CC y)"
        ),
        (
            "SEARCH SINCE 1-Feb-1994 SENTON \"01-Mar-2020\"",
            "SEARCH SINCE 1-Feb-1994 SENTON 01-Mar-2020"
        ),
        ("SEARCH CHARSET utf-8 TEXT {2+}\r\n\u{FC}", "SEARCH CHARSET UTF-8 TEXT {2+}\r\n\u{FC}"),
        ("UID SEARCH RETURN (SAVE COUNT) UID 1:*", "UID SEARCH RETURN (SAVE COUNT) UID 1:*"),
        ("SEARCH $", "SEARCH $"),
        ("SEARCH OLDER 60 LARGER 5", "SEARCH OLDER 60 LARGER 5"),
        ("SEARCH KEYWORD {20+}\r\na\r\nX9 SELECT Private", nil),
        ("SEARCH X-GM-RAW \"in:anywhere\"", nil),
        ("SEARCH SINCE yesterday", nil),
        ("SEARCH", nil),
        ("SEARCH ALL ", "SEARCH ALL"),
        ("SEARCH  NOT  SEEN  ( OR  TO x  CC y ) ", "SEARCH NOT SEEN (OR TO x CC y)"),
        (
            "SEARCH RETURN  ( MIN  MAX )  CHARSET  utf-8  ALL",
            "SEARCH RETURN (MIN MAX) CHARSET UTF-8 ALL"
        ),
        (
            "SEARCH RETURN (MIN) 1:3 MODSEQ \"/flags/\\\\Seen\" ALL 1",
            "SEARCH RETURN (MIN) 1:3 MODSEQ \"/flags/\\\\seen\" all 1"
        ),
        ("SEARCH MODSEQ \"/flags/Gelb\" priv 5", "SEARCH MODSEQ \"/flags/Gelb\" priv 5"),
        ("SEARCH MODSEQ \"/flags/gelb\" shared 5", "SEARCH MODSEQ \"/flags/gelb\" shared 5"),
        ("SEARCH MODSEQ 5", "SEARCH MODSEQ 5"),
        ("SEARCH MODSEQ \"/flags/\\\\Recent\" all 5", nil),
        ("SEARCH MODSEQ \"/flags/a b\" all 5", nil),
        ("SEARCH MODSEQ \"/flags/\" all 5", nil),
        ("SEARCH MODSEQ \"/comment\" all 5", nil),
        ("SEARCH MODSEQ \"/flags/x\" every 5", nil),
        ("SEARCH MODSEQ \"/flags/x\" all", nil),
        ("SEARCH RETURN (UPDATE PARTIAL 9:1) ALL", "SEARCH RETURN (UPDATE PARTIAL 9:1) ALL"),
        (
            "SEARCH RETURN (UPDATE (UID BODY[TEXT]) COUNT) ALL",
            "SEARCH RETURN (UPDATE (UID BODY.PEEK[TEXT]) COUNT) ALL"
        ),
        ("SEARCH RETURN (UPDATE (RFC822)) ALL", nil),
        ("SEARCH RETURN (PARTIAL 1:2 ALL) ALL", nil),
        ("SEARCH RETURN (PARTIAL 0:2) ALL", nil),
        ("SEARCH RETURN (PARTIAL 1:*) ALL", nil),
        ("CANCELUPDATE \"a1\" \"b\\\"2\"", "CANCELUPDATE \"a1\" \"b\\\"2\""),
        ("CANCELUPDATE a1", nil),
        ("CANCELUPDATE", nil),
        ("NOTIFY NONE", "NOTIFY NONE"),
        ("NOTIFY NONE ", "NOTIFY NONE"),
        (
            "NOTIFY  SET  STATUS  ( selected  ( MessageNew  (UID )  MessageExpunge ) ) ",
            "NOTIFY SET STATUS (SELECTED (MessageNew (UID) MessageExpunge))"
        ),
        (
            "notify set status (Selected (messagenew (uid) MESSAGEEXPUNGE)) (subtree x NONE)",
            "NOTIFY SET STATUS (SELECTED (MessageNew (UID) MessageExpunge)) (SUBTREE (x) NONE)"
        ),
        (
            "NOTIFY SET (mailboxes ({1+}\r\nx \"y z\") (MailboxName SubscriptionChange))",
            "NOTIFY SET (MAILBOXES (x \"y z\") (MailboxName SubscriptionChange))"
        ),
        ("NOTIFY SET (selected NONE) (selected-delayed NONE)", nil),
        ("NOTIFY SET (selected (MailboxName))", nil),
        ("NOTIFY SET (selected (MessageNew))", nil),
        ("NOTIFY SET (selected (MessageNew FlagChange))", nil),
        (
            "NOTIFY SET (personal (MessageNew))",
            "NOTIFY SET (PERSONAL (MessageNew MessageExpunge))"
        ),
        (
            "NOTIFY SET STATUS (mailboxes X (MessageExpunge))",
            "NOTIFY SET STATUS (MAILBOXES (X) (MessageExpunge MessageNew))"
        ),
        (
            "NOTIFY SET (personal (FlagChange))",
            "NOTIFY SET (PERSONAL (FlagChange MessageNew MessageExpunge))"
        ),
        ("NOTIFY SET (personal (MessageNew (UID) MessageExpunge))", nil),
        ("NOTIFY SET (personal ())", nil),
        ("NOTIFY SET (personal)", nil),
        ("NOTIFY SET (mailboxes () NONE)", nil),
        ("NOTIFY SET (elsewhere NONE)", nil),
        ("NOTIFY SET", nil),
        ("SORT (REVERSE DATE) UTF-8 ALL", "SORT (REVERSE DATE) UTF-8 ALL"),
        ("UID THREAD REFERENCES us-ascii SEEN", "UID THREAD REFERENCES US-ASCII SEEN"),
        ("SORT (BAD) UTF-8 ALL", nil),
        ("SELECT INBOX", "SELECT UP"),
        ("EXAMINE \"a b\" (CONDSTORE)", "EXAMINE UP (CONDSTORE)"),
        (
            "SELECT x (QRESYNC (67890007 20050715194045000 41,43:211 (1:29 41:213)))",
            "SELECT UP (QRESYNC (67890007 20050715194045000 41,43:211 (1:29 41:213)))"
        ),
        ("SELECT INBOX (CONDSTORE) X9 LOGOUT", nil),
        ("SELECT INBOX ", "SELECT UP"),
        ("SELECT  INBOX  ( CONDSTORE )  ", "SELECT UP (CONDSTORE)"),
        (
            "SELECT x (QRESYNC  ( 67890007  20050715194045000  41  ( 1:29  41:213 ) ) )",
            "SELECT UP (QRESYNC (67890007 20050715194045000 41 (1:29 41:213)))"
        ),
        ("SELECT Other Users/x", nil),
        ("SELECT \"a\"/b", nil),
        ("SELECT ~{5+}\r\nINBOX", nil),
        ("SELECT \"a\u{FC}\"", nil),
        ("STATUS x (MESSAGES unseen MESSAGES)", "STATUS UP (MESSAGES UNSEEN)"),
        ("STATUS  x  ( MESSAGES  unseen ) ", "STATUS UP (MESSAGES UNSEEN)"),
        ("STATUS x (X-GUID)", nil),
        ("STATUS x MESSAGES", nil),
        ("CREATE x (USE (\\Sent))", "CREATE UP (USE (\\Sent))"),
        ("CREATE x  ( USE  ( \\Sent ) ) ", "CREATE UP (USE (\\Sent))"),
        ("CREATE x (USE (\\Inbox))", nil),
        ("COPY 1:* x", "COPY 1:* UP"),
        ("UID MOVE 4 {1+}\r\nx", "UID MOVE 4 UP"),
        ("COPY 1", nil),
        ("COPY  1  x ", "COPY 1 UP"),
        ("FETCH 1 (FLAGS  UID)", "FETCH 1 (FLAGS UID)"),
        ("FETCH  1  ( FLAGS )  (CHANGEDSINCE  5 ) ", "FETCH 1 FLAGS (CHANGEDSINCE 5)"),
        (
            "FETCH 1 BODY.PEEK[HEADER.FIELDS  ( Subject  from )] ",
            "FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject from)]"
        ),
        ("FETCH 1 (PREVIEW  ( LAZY ) UID)", "FETCH 1 (PREVIEW (LAZY) UID)"),
        ("FETCH 1 PREVIEW (CHANGEDSINCE 5)", "FETCH 1 PREVIEW (CHANGEDSINCE 5)"),
        ("FETCH 1 BODY[ HEADER]", nil),
        ("FETCH 1 , 2 FLAGS", nil),
        ("UID  FETCH 1 FLAGS", nil),
        ("STORE  1  +FLAGS  ( \\Seen  $Done ) ", "STORE 1 +FLAGS (\\Seen $Done)"),
        ("STORE 1 +FLAGS \\Seen  \\Draft ", "STORE 1 +FLAGS (\\Seen \\Draft)"),
        (
            "STORE 1  ( UNCHANGEDSINCE  5 )  FLAGS ( )",
            "STORE 1 (UNCHANGEDSINCE 5) FLAGS ()"
        ),
        ("SORT  ( REVERSE  DATE )  UTF-8  ALL ", "SORT (REVERSE DATE) UTF-8 ALL"),
        ("THREAD  REFERENCES  UTF-8  ALL ", "THREAD REFERENCES UTF-8 ALL"),
    ]

    static let dates: [(String, String?)] = [
        ("3-Feb-2026 18:28:47 +0000", "03-Feb-2026 18:28:47 +0000"),
        (" 3-Feb-2026 18:28:47 +0000", " 3-Feb-2026 18:28:47 +0000"),
        ("03-feb-2026 18:28:47 -0130", "03-Feb-2026 18:28:47 -0130"),
        ("13-Feb-2026 18:28:47 GMT", "13-Feb-2026 18:28:47 +0000"),
        ("13-Feb-2026 18:28:47 ut", "13-Feb-2026 18:28:47 +0000"),
        ("3-Feb-2026 18:28:47 GMT+1", nil), ("3-Feb-2026 18:28:47 CET", nil),
        ("3-Feb-2026 18:28:47", nil), ("13-Feb-26 18:28:47 +0000", nil),
        ("-Feb-2026 18:28:47 +0000", nil), ("113-Feb-2026 18:28:47 +0000", nil),
        ("  3-Feb-2026 18:28:47 +0000", nil), ("3-Feb-2026 8:28:47 +0000", nil),
        ("3-Feb-2026 18:28:47 +0000 ", nil), ("3-Feb-2026  18:28:47 +0000", nil),
    ]

    @Test(arguments: dates)
    func `a message's date is encoded in the grammar's spelling`(date: String, sent: String?) {
        let head = ByteBuffer(string: "a1 APPEND x (\\Seen)  \"\(date)\" ")
        switch CommandParser.parseAppendHead(first: head) {
        case .head(_, let head): #expect(head.date.map { String(buffer: $0) } == sent)
        case .malformed: #expect(sent == nil)
        }
    }

    @Test func `a set with too many ranges is encoded with joined ranges`() {
        let numbers = (1...20_000).map(String.init).joined(separator: ",")
        let sparse = stride(from: 1, to: 40_000, by: 2).map { "\($0)" }.joined(separator: ",")
        let few = "1,2,3,9:12,13"
        let mixed = sparse + ",40000,40001:40002,40003:*,5:*,6"
        for (wire, sent) in [
            (numbers, "1:20000"), (sparse, sparse), (few, few),
            (mixed, sparse.dropLast(5) + "39999:40002,40003:*,5:*,6"),
        ] {
            let parsed = CommandParser.parse(ByteBuffer(string: "a1 UID FETCH \(wire) FLAGS"))
            guard case .command(_, let command) = parsed else {
                Issue.record("refused")
                continue
            }
            #expect(Self.encoded(command) == "UID FETCH \(sent) FLAGS")
        }
    }

    static let large: [(String, SyntaxError.Reason?)] = [
        ("UID FETCH " + String(repeating: "1,", count: 49_999) + "1 FLAGS", nil),
        ("UID FETCH " + String(repeating: "1,", count: 50_000) + "1 FLAGS", .commandTooLarge),
        ("SEARCH" + String(repeating: " ALL", count: 5_000), nil),
        ("SEARCH" + String(repeating: " ALL", count: 5_001), .commandTooLarge),
        ("SEARCH" + String(repeating: " (ALL ALL)", count: 2_000), .commandTooLarge),
        ("STORE 1 FLAGS (x" + String(repeating: " x", count: 1_999) + ")", nil),
        ("STORE 1 FLAGS (x" + String(repeating: " x", count: 2_000) + ")", .commandTooLarge),
        ("ID (" + String(repeating: "\"x\" NIL ", count: 30) + ")", nil),
        ("ID (" + String(repeating: "\"x\" NIL ", count: 31) + ")", .commandTooLarge),
    ]

    @Test(arguments: large.indices)
    func `a command with the most allowed parts is accepted, one more is refused`(row: Int) {
        let (wire, reason) = Self.large[row]
        switch CommandParser.parse(ByteBuffer(string: "a1 " + wire)) {
        case .command: #expect(reason == nil)
        case .malformed(_, let error): #expect(error.reason == reason)
        }
    }

    @Test(arguments: rows)
    func `a command is encoded from its parsed form`(wire: String, sent: String?) {
        let frame = ByteBuffer(string: "a1 " + wire)
        switch CommandParser.parse(frame) {
        case .command(let tag, let command):
            #expect(String(buffer: tag) == "a1")
            #expect(Self.encoded(command) == sent)
        case .malformed(let tag, _):
            #expect(tag.map { String(buffer: $0) } == "a1")
            #expect(sent == nil, "refused")
        }
    }

    /// The encoding parses as the same command.
    @Test(arguments: rows)
    func `an encoded command parses as the same command`(wire: String, sent: String?) {
        guard let sent else { return }
        guard case .command(_, let command) = CommandParser.parse(ByteBuffer(string: "a1 " + sent))
        else {
            Issue.record("cannot be read back: \(sent)")
            return
        }
        #expect(Self.encoded(command) == sent)
    }

    static func encoded(_ command: Command) -> String {
        var encoder = CommandEncoder(tag: ByteBuffer(), literals: .nonSynchronizing)
        let mailbox = ByteBuffer(string: "UP")
        switch command {
        case .fetch(let fetch): fetch.encode(into: &encoder)
        case .store(let store): store.encode(into: &encoder)
        case .search(let search): search.encode(into: &encoder)
        case .sort(let sort): sort.encode(into: &encoder)
        case .notify(let notify): notify.encode(into: &encoder)
        case .cancelUpdate(let tags):
            encoder.write(word: "CANCELUPDATE")
            for tag in tags { encoder.write(quoted: Array(tag.readableBytesView)) }
        case .thread(let thread): thread.encode(into: &encoder)
        case .select(let select): select.encode(into: &encoder, mailbox: mailbox, readOnly: false)
        case .examine(let select): select.encode(into: &encoder, mailbox: mailbox, readOnly: true)
        case .status(let status): status.encode(into: &encoder, mailbox: mailbox)
        case .create(let create): create.encode(into: &encoder, mailbox: mailbox)
        case .copy(let copy): copy.encode(into: &encoder, command: "COPY", mailbox: mailbox)
        case .move(let copy): copy.encode(into: &encoder, command: "MOVE", mailbox: mailbox)
        default: return "\(command)"
        }
        let text = encoder.finish().map { String(buffer: $0) }.joined()
        return String(text.dropFirst().dropLast())
    }

    static let bare: [(String, Command?)] = [
        ("NOOP", .noop), ("noop", .noop), ("CAPABILITY", .capability), ("LOGOUT", .logout),
        ("IDLE", .idle), ("CHECK", .check), ("NAMESPACE", .namespace), ("STARTTLS", .startTLS),
        ("NOOP extra", nil), ("NOOP ", .noop), ("LOGOUT   ", .logout), (" NOOP", nil),
        ("NOOP\t", nil), ("", nil),
        ("XYZZY", nil), ("UNAUTHENTICATE", nil), ("COMPRESS DEFLATE", nil), ("NOOP\u{0B}", nil),
        ("ID NIL", .id), ("ID (\"name\" \"x\")", .id), ("ID  ( \"name\"  NIL ) ", .id),
        ("ID NIL ", .id), ("ID (\"name\")", nil),
        ("ID (NIL \"x\")", nil), ("IDLE {4+}\r\nDONE", nil), ("APPEND INBOX", nil),
        ("URLFETCH \"imap://x\"", nil), ("GETMETADATA INBOX /x", nil),
        ("ESEARCH IN (personal) ALL", nil),
    ]

    @Test(arguments: bare)
    func `a command without arguments refuses arguments`(wire: String, expected: Command?) {
        switch CommandParser.parse(ByteBuffer(string: "a1 " + wire)) {
        case .command(_, let command): #expect(command == expected)
        case .malformed: #expect(expected == nil)
        }
    }

    @Test(arguments: [
        "", "A+1 NOOP", "+ NOOP", "* NOOP", "A1", "\u{FC} NOOP", "A(1 NOOP", "A1\tNOOP",
    ])
    func `a line without a valid tag is malformed and has no tag to repeat`(frame: String) {
        guard case .malformed(nil, _) = CommandParser.parse(ByteBuffer(string: frame)) else {
            Issue.record("\(frame) has a tag")
            return
        }
    }

    @Test func `a tag has at most 64 octets`() {
        let long = String(repeating: "A", count: 65)
        guard case .malformed(nil, _) = CommandParser.parse(ByteBuffer(string: long + " NOOP"))
        else {
            Issue.record("too long a tag is repeated")
            return
        }
    }

    @Test(arguments: ["NOT ", "OR ALL ", "("])
    func `a search nested too deeply is refused`(opening: String) {
        let deep = "a1 SEARCH " + String(repeating: opening, count: 5_000) + "ALL"
        guard case .malformed(_, let error) = CommandParser.parse(ByteBuffer(string: deep)) else {
            Issue.record("parsed")
            return
        }
        #expect(error.reason == .tooDeep)
    }

    @Test func `no description of LOGIN contains its password`() {
        let frame = ByteBuffer(string: "a1 LOGIN anna s3cret")
        #expect(!"\(CommandParser.parse(frame))".contains("s3cret"))
        var dumped = ""
        dump(CommandParser.parse(frame), to: &dumped)
        #expect(!dumped.contains("s3cret"))
    }

    static let strings: [(String, String)] = [
        ("plain", "plain"), ("two words", "\"two words\""), ("", "\"\""), ("NIL", "\"NIL\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""), ("a {5+}", "\"a {5+}\""), ("a\u{FC}", "{3+}\r\na\u{FC}"),
        ("x\r\ny", "{4+}\r\nx\r\ny"), ("a]b", "\"a]b\""), ("%", "\"%\""),
    ]

    @Test(arguments: strings)
    func `a string is encoded as atom, quoted string or literal`(value: String, wire: String) {
        var encoder = CommandEncoder(tag: ByteBuffer(string: "t"), literals: .nonSynchronizing)
        encoder.write(astring: ByteBuffer(string: value))
        let text = encoder.finish().map { String(buffer: $0) }.joined()
        #expect(text == "t " + wire + "\r\n")
    }

    @Test func `a synchronizing literal starts a new segment`() {
        var encoder = CommandEncoder(tag: ByteBuffer(string: "t"), literals: .synchronizing)
        encoder.write(astring: ByteBuffer(string: "\u{FC}"))
        encoder.write(astring: ByteBuffer(string: "x"))
        let segments = encoder.finish().map { String(buffer: $0) }
        #expect(segments == ["t {2}\r\n", "\u{FC} x\r\n"])
    }
}
