import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// APPEND, without a session.
@Suite struct AppendingTests {
    private static let usual = "LITERAL+ UIDPLUS"

    /// - Parameters:
    ///   - capabilities: of Bob's server; nil where nothing is connected yet.
    ///   - line: of the client, which announces a message.
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

    @Test func `a message passes as it comes, with the flags that may be set`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
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
    func `who may not read the folder is not told the UID`(rights: String) throws {
        try Self.run(
            grant: "bob account \(rights)",
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `octets wait for a server that has to ask for them, and for a client that waits`()
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
    func `octets may come in pieces of any size`(chunk: Int) throws {
        let pieces = chunk == 1 ? ["h", "e", "l", "l", "o"] : ["hel", "lo"]
        try Self.run(
            chunk: chunk,
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello
                \(pieces.map { "U bob> \($0)" }.joined(separator: "\n"))
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `a server that is not there is connected to first`() throws {
        try Self.run(
            nil,
            script: """
                open bob
                ! ready bob LITERAL+
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    @Test func `a folder that has to be looked for is looked for first`() throws {
        try Self.run(
            configure: { $0.unknown = ["Akten"] },
            script: """
                folders of bob
                ! known bob
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello
                U bob> hello
                U bob> \\r\\n
                U bob< T OK Done.
                S: a1 OK APPEND completed
                """
        )
    }

    // MARK: - Refusals

    @Test func `a folder that is missing is refused, and nothing is sent`() throws {
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

    @Test func `a server that does not tell its folders gets no message`() throws {
        try Self.run(
            configure: {
                $0.unknown = ["Akten"]
                $0.tellsFolders = false
            },
            script: "folders of bob\nS: a1 \(Self.unavailable)"
        )
    }

    @Test func `rights that went while the server connected count`() throws {
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

    @Test func `rights that go while octets pass cut the message`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C+ he
                U bob> he
                ! grant bob account lr
                drop bob
                S: a1 NO [NOPERM] Permission denied
                """
        )
    }

    @Test func `a server that refuses the command before its octets is kept`() throws {
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

    @Test func `a server that answers in the middle of a message is left`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C+ he
                U bob> he
                U bob< T NO [OVERQUOTA] Full.
                drop bob
                S: a1 NO [OVERQUOTA] Refused by the mail server
                """
        )
    }

    @Test func `an OK in the middle of a message is no success`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
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
    func `the loss of the server ends the command at every step`(before: String) throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                \(before)
                ! lost bob
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test func `what stands behind a message cuts the command`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello x
                U bob> hello
                drop bob
                S: a1 BAD Syntax error
                """
        )
    }

    @Test func `the mailbox that is open on a connection that is left is closed`() throws {
        try Self.run(
            configure: { $0.select("bob") },
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello x
                U bob> hello
                S: * OK [CLOSED] The mailbox is closed
                drop bob
                S: a1 BAD Syntax error
                """
        )
    }

    // MARK: - Several messages

    @Test func `several messages are one command at a server with MULTIAPPEND`() throws {
        try Self.run(
            "LITERAL+ MULTIAPPEND",
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello (\\Deleted \\Flagged) {2+}
                U bob> hello
                U bob>  (\\Flagged) {2+}
                C: yo
                U bob> yo
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3:4] Done.
                S: a1 OK [APPENDUID 7 3:4] APPEND completed
                """
        )
    }

    @Test func `several messages are a command each at another server`() throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello {2+}
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                U bob> T APPEND Akten {2+}
                C: yo
                U bob> yo
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 4] Done.
                S: a1 OK [APPENDUID 7 3:4] APPEND completed
                """
        )
    }

    @Test(arguments: ["U bob< T NO Full.", "! lost bob"])
    func `the answer says how many messages are stored`(end: String) throws {
        try Self.run(
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello {2+}
                U bob> hello
                U bob> \\r\\n
                U bob< T OK [APPENDUID 7 3] Done.
                U bob> T APPEND Akten {2+}
                C: yo
                U bob> yo
                U bob> \\r\\n
                \(end)
                S: a1 NO Messages stored: 1, the first of the command; the others are not stored
                """
        )
    }

    @Test
    func `a second message with another kind of octets than the server takes cuts the command`()
        throws
    {
        try Self.run(
            "LITERAL+ MULTIAPPEND",
            script: """
                U bob> T APPEND Akten (\\Seen) {5+}
                C: hello ~{2+}
                U bob> hello
                drop bob
                S: a1 NO [UNKNOWN-CTE] The server of this mailbox has no BINARY
                """
        )
    }

    // MARK: - The UIDs of a series

    @Test func `UIDs of a series are told only where each of them is known`() {
        var series = AppendSeries()
        series.stored(.appendUID(7, SequenceSet(uids: [3])))
        series.stored(.appendUID(7, SequenceSet(uids: [4])))
        series.stored(.appendUID(7, SequenceSet(uids: [9])))
        #expect(series.code == .appendUID(7, SequenceSet(uids: [3, 4, 9])))
        series.stored(nil)
        #expect(series.code == nil)
        #expect(series.count == 4)
    }

    @Test func `UIDs of another mailbox of the same name end the series`() {
        var series = AppendSeries()
        series.stored(.appendUID(7, SequenceSet(uids: [3])))
        series.stored(.appendUID(8, SequenceSet(uids: [4])))
        #expect(series.code == nil)
    }
}
