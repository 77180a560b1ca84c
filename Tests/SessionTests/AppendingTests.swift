import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of APPEND, without a session.
@Suite struct AppendingTests {
    private static let usual = "LITERAL+ UIDPLUS"

    /// - Parameters:
    ///   - capabilities: those of Bob's server; nil if it is not connected yet.
    ///   - line: the client's line that announces the message.
    private static func run(
        _ capabilities: String? = Self.usual,
        _ line: String = "a1 APPEND x (\\Seen \\Deleted) {5+}",
        grant: String = "bob account lrswi",
        chunk: Int = .max,
        configure: (inout RecordedContext) -> Void = { _ in },
        script: String
    ) throws {
        var context = try RecordedContext(grants: [grant])
        if let capabilities { context.connect("bob", capabilities) }
        configure(&context)
        context.reader.receive(ByteBuffer(string: line + "\r\n"))
        guard case .message(let head, let literal)? = try context.reader.next(),
            case .head(let tag, let parsed) = CommandParser.parseAppendHead(first: head)
        else {
            Issue.record("no message is announced")
            return
        }
        let folder = try #require(FolderPath(octets: Array("Akten".utf8)))
        let message = Appending.Message(head: parsed, literal: literal)
        let appending = Appending(tag: tag, message: message, to: folder, in: 2)
        try MachineScript.run(appending, in: context, chunk: chunk, script: script) {
            appending.upstreamReady(in: &$0)
        }
    }

    private static let unavailable =
        "NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"

    // MARK: - One message

    @Test func `a message is forwarded as it arrives, with the flags that the user may set`() throws
    {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C+ he
                U bob> he
                C: llo
                U bob> llo
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                S: a1 OK [APPENDUID 7 3] APPEND completed
                """
        )
    }

    @Test(arguments: ["lswi", "lis"])
    func `a user who may not read the folder gets no UID`(rights: String) throws {
        try Self.run(
            grant: "bob account \(rights)",
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `a synchronizing literal is sent after the server's continuation, on both sides`()
        throws
    {
        try Self.run(
            "IMAP4REV1",
            "a1 APPEND x {5}",
            script: """
                U bob> T APPEND Akten {5}
                U bob< + go
                S: + Ready
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test(arguments: [1, 3])
    func `the octets of a message may arrive in pieces of any size`(chunk: Int) throws {
        let pieces = chunk == 1 ? ["h", "e", "l", "l", "o"] : ["hel", "lo"]
        try Self.run(
            chunk: chunk,
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello
                \(pieces.map { "U bob> \($0)" }.joined(separator: "\n"))
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `APPEND connects to the server before it sends the message`() throws {
        try Self.run(
            nil,
            script: """
                open bob
                ! ready bob LITERAL+
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `APPEND asks the server for its folders if the list is unknown`() throws {
        try Self.run(
            configure: { $0.unknown = ["Akten"] },
            script: """
                folders of bob
                ! known bob
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    // MARK: - Refusals

    @Test func `APPEND to a missing folder is refused and nothing is sent`() throws {
        try Self.run(
            configure: { $0.missing = ["Akten"] },
            script: "S: a1 NO [NONEXISTENT] No such mailbox"
        )
        try Self.run(
            grant: "bob account lrswik",
            configure: { $0.missing = ["Akten"] },
            script: "S: a1 NO [TRYCREATE] No such mailbox"
        )
    }

    @Test func `a server that does not list its folders gets no message`() throws {
        try Self.run(
            configure: {
                $0.unknown = ["Akten"]
                $0.tellsFolders = false
            },
            script: "folders of bob\nS: a1 \(Self.unavailable)"
        )
    }

    @Test func `rights that were withdrawn while the server connected stop the APPEND`() throws {
        try Self.run(
            nil,
            script: """
                open bob
                ! grant bob account lr
                drop bob
                S: a1 NO [NOPERM] Permission denied
                """
        )
    }

    @Test func `rights that are withdrawn during a message stop it`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C+ he
                U bob> he
                ! grant bob account lr
                drop bob
                S: a1 NO [NOPERM] Permission denied
                """
        )
    }

    @Test func `the connection is kept if the server refuses the command before its octets`() throws
    {
        try Self.run(
            "IMAP4REV1",
            "a1 APPEND x {5}",
            script: """
                U bob> T APPEND Akten {5}
                U bob< T NO [OVERQUOTA] Full.
                S: a1 NO [OVERQUOTA] Refused by the mail server
                """
        )
    }

    @Test func `the connection is closed if the server answers in the middle of a message`() throws
    {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C+ he
                U bob> he
                U bob< T NO [OVERQUOTA] Full.
                drop bob
                S: a1 NO [OVERQUOTA] Refused by the mail server
                """
        )
    }

    @Test func `an OK in the middle of a message is answered NO`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C+ he
                U bob> he
                U bob< T OK Done.
                drop bob
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test(
        arguments: [
            "", "C+ he\nU bob> he", "C: hello\nU bob> hello\nU bob> \\r\\n",
        ]
    )
    func `a lost connection ends the command at every step`(before: String) throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                \(before)
                ! lost bob
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test func `octets after a message that do not parse end the command with BAD`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello x
                U bob> hello
                drop bob
                S: a1 BAD Syntax error
                """
        )
    }

    @Test func `the selected mailbox is closed with the connection`() throws {
        try Self.run(
            configure: { $0.select("bob") },
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello x
                U bob> hello
                S: * OK [CLOSED] The mailbox is closed
                drop bob
                S: a1 BAD Syntax error
                """
        )
    }

    // MARK: - A server that does not ask for the message

    @Test(
        arguments: ["LITERAL+ UIDPLUS", "UIDPLUS"],
        [("NO System I/O error", "NO"), ("BAD What", "BAD")]
    )
    func `a refusal instead of a request keeps the message away from the server`(
        capabilities: String,
        refusal: (text: String, answer: String)
    ) throws {
        try Self.run(
            capabilities,
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< T \(refusal.text)
                S: a1 \(refusal.answer) Refused by the mail server
                C: hello
                """
        )
    }

    @Test func `a binary message waits for the server too`() throws {
        try Self.run(
            "LITERAL+ BINARY",
            "a1 APPEND x ~{5+}",
            script: """
                U bob> T APPEND Akten ~{5}
                C+ hel
                U bob< + OK
                U bob> hel
                C: lo
                U bob> lo
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `a further message that is refused keeps it away from the server`() throws {
        try Self.run(
            "LITERAL+ MULTIAPPEND",
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello {2+}
                U bob> hello
                U bob>  {2}
                U bob< T NO System I/O error
                S: a1 NO Refused by the mail server
                C: yo
                """
        )
    }

    @Test func `OK instead of a request ends the connection`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< T OK [APPENDUID 7 3] Done.
                drop bob
                S: a1 \(Self.unavailable)
                C: hello
                """
        )
    }

    @Test func `nothing is read of the client until the server asks for the message`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                C+ hel
                C+ lo
                U bob< + OK
                U bob> hello
                C+ \r\n
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `the completion of an earlier command is not taken for its own`() throws {
        var context = try RecordedContext(grants: ["bob account lrswi"])
        context.reader.receive(ByteBuffer(string: "a1 APPEND x {5+}\r\n"))
        guard case .message(let line, let literal)? = try context.reader.next(),
            case .head(_, let head) = CommandParser.parseAppendHead(first: line)
        else {
            Issue.record("no message is announced")
            return
        }
        let folder = try #require(FolderPath(octets: Array("Akten".utf8)))
        let appending = Appending(
            tag: ByteBuffer(string: "a1"),
            message: Appending.Message(head: head, literal: literal),
            to: folder,
            in: 2
        )
        let earlier = UpstreamEvent.completed(Completion(condition: .ok))
        #expect(try !appending.received(earlier, from: 2, in: &context))
        #expect(context.log == [])
    }

    // MARK: - Several messages

    @Test func `several messages are one command for a server with MULTIAPPEND`() throws {
        try Self.run(
            "LITERAL+ MULTIAPPEND",
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello (\\Deleted \\Flagged) {2+}
                U bob> hello
                U bob>  (\\Flagged) {2}
                U bob< + OK
                C: yo
                U bob> yo
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3:4] Done.
                S: a1 OK [APPENDUID 7 3:4] APPEND completed
                """
        )
    }

    @Test func `several messages are a command each for a server without MULTIAPPEND`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello {2+}
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                U bob> T APPEND Akten {2}
                U bob< + OK
                C: yo
                U bob> yo
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 4] Done.
                S: a1 OK [APPENDUID 7 3:4] APPEND completed
                """
        )
    }

    @Test(arguments: ["U bob< T NO Full.", "! lost bob"])
    func `the answer states how many messages are stored`(end: String) throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello {2+}
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                U bob> T APPEND Akten {2}
                U bob< + OK
                C: yo
                U bob> yo
                U bob> \\r\\n
                \(end)
                S: a1 NO Messages stored: 1, the first of the command; the others are not stored
                """
        )
    }

    @Test
    func `a binary second message ends the command if the server lacks BINARY`()
        throws
    {
        try Self.run(
            "LITERAL+ MULTIAPPEND",
            script: """
                U bob> T APPEND Akten (\\Seen) {5}
                U bob< + OK
                C: hello ~{2+}
                U bob> hello
                drop bob
                S: a1 NO [UNKNOWN-CTE] The server of this mailbox has no BINARY
                """
        )
    }

    // MARK: - The UIDs of a series

    @Test func `the UIDs of a series are reported only if all of them are known`() {
        var series = AppendSeries()
        series.stored(.appendUID(7, SequenceSet(uids: [3])))
        series.stored(.appendUID(7, SequenceSet(uids: [4])))
        series.stored(.appendUID(7, SequenceSet(uids: [9])))
        #expect(series.code == .appendUID(7, SequenceSet(uids: [3, 4, 9])))
        series.stored(nil)
        #expect(series.code == nil)
        #expect(series.count == 4)
    }

    @Test func `a changed UIDVALIDITY ends the UIDs of a series`() {
        var series = AppendSeries()
        series.stored(.appendUID(7, SequenceSet(uids: [3])))
        series.stored(.appendUID(8, SequenceSet(uids: [4])))
        #expect(series.code == nil)
    }
}
