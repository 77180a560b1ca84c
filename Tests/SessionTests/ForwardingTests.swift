import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of a command that one server executes, without a session.
@Suite struct ForwardingTests {
    private static func tagged(_ text: String) throws -> TaggedCommand {
        guard case .command(let tag, let command) = CommandParser.parse(ByteBuffer(string: text))
        else {
            Issue.record("cannot be read: \(text)")
            throw SyntaxError(.unknownCommand, at: 0)
        }
        return TaggedCommand(tag: tag, command: command, traits: command.row.traits)
    }

    private static func folder(_ name: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(name.utf8)))
    }

    private static func run(
        _ command: String,
        grant: String = "bob account lrswite",
        segments: [String] = [],
        configure: (Forwarding) throws -> Void = { _ in },
        _ script: String
    ) throws {
        var context = try RecordedContext(grants: [grant])
        context.connect("bob", "LITERAL+")
        context.select("bob")
        let forwarding = Forwarding(
            try Self.tagged(command),
            to: 2,
            segments: segments.map { ByteBuffer(string: $0) }
        )
        try configure(forwarding)
        try MachineScript.run(forwarding, in: context, script: script) { _ in }
    }

    @Test func `each segment is sent after a continuation`() throws {
        try Self.run(
            "a1 NOOP",
            segments: ["one", "two"],
            """
            U bob< + go
            U bob> one
            U bob< + go
            U bob> two
            U bob< T OK Done.
            S: a1 OK NOOP completed
            """
        )
    }

    @Test func `an unexpected continuation does not concern the command`() throws {
        var context = try RecordedContext()
        let forwarding = Forwarding(try Self.tagged("a1 NOOP"), to: 2, segments: [])
        #expect(try !forwarding.received(.continued, from: 2, in: &context))
        #expect(try !forwarding.received(.lost(answer: .unavailable), from: 1, in: &context))
        #expect(context.log == [])
    }

    @Test(
        arguments: [
            ("U bob< T NO No.", "NO Refused by the mail server"),
            ("U bob< T NO [OVERQUOTA] No.", "NO [OVERQUOTA] Refused by the mail server"),
            ("U bob< T NO [ALERT] No.", "NO Refused by the mail server"),
            ("U bob< T BAD No.", "BAD Refused by the mail server"),
            ("! lost bob", "NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"),
        ]
    )
    func `a refusal has no text of the server and only codes for clients`(
        end: String,
        answer: String
    ) throws {
        try Self.run("a1 NOOP", "\(end)\nS: a1 \(answer)")
    }

    // MARK: - COPY

    @Test(
        arguments: [
            ("lri", "OK [COPYUID 7 1 4] COPY completed"), ("li", "OK COPY completed"),
        ]
    )
    func `COPYUID is sent only to users who may read the target`(
        rights: String,
        answer: String
    ) throws {
        try Self.run(
            "a1 UID COPY 1 x",
            grant: "bob folder:Akten \(rights)",
            configure: { $0.outcome = .copied(to: try Self.folder("Akten")) },
            "U bob< T OK [COPYUID 7 1 4] Done.\nS: a1 \(answer)"
        )
    }

    @Test func `COPYUID in the answer to another command is withheld`() throws {
        try Self.run(
            "a1 NOOP",
            "U bob< T OK [COPYUID 7 1 4] Done.\nS: a1 OK NOOP completed"
        )
    }

    @Test(arguments: [("lri", "NO [NONEXISTENT] No such mailbox"), ("lrik", "NO [TRYCREATE]")])
    func `TRYCREATE is sent only to users who may create the target`(
        rights: String,
        answer: String
    ) throws {
        let text = answer.hasSuffix("]") ? "\(answer) Refused by the mail server" : answer
        try Self.run(
            "a1 UID COPY 1 x",
            grant: "bob account \(rights)",
            configure: { $0.outcome = .copied(to: try Self.folder("Akten")) },
            "U bob< T NO [TRYCREATE] No.\nS: a1 \(text)"
        )
    }

    // MARK: - STATUS and QUOTA

    private static func configureStatus(_ forwarding: Forwarding) throws {
        forwarding.mailbox = ByteBuffer(string: "theirs")
        forwarding.folder = try Self.folder("Akten")
    }

    @Test func `a STATUS response has the client's name of the mailbox`() throws {
        try Self.run(
            "a1 STATUS x (MESSAGES)",
            configure: Self.configureStatus,
            """
            U bob< * STATUS Post (MESSAGES 9)
            U bob< * STATUS Akten (MESSAGES 3)
            S: * STATUS theirs (MESSAGES 3)
            U bob< T OK Done.
            S: a1 OK STATUS completed
            """
        )
    }

    @Test func `a STATUS response is withheld after the right to read was withdrawn`() throws {
        try Self.run(
            "a1 STATUS x (MESSAGES)",
            configure: Self.configureStatus,
            """
            ! grant bob folder:Post lr
            U bob< * STATUS Akten (MESSAGES 3)
            U bob< T OK Done.
            S: a1 NO [NONEXISTENT] No such mailbox
            """
        )
    }

    @Test func `a mailbox without mod-sequences has HIGHESTMODSEQ 0`() throws {
        try Self.run(
            "a1 STATUS x (HIGHESTMODSEQ)",
            configure: {
                try Self.configureStatus($0)
                $0.statusItems = [.highestModSeq]
            },
            """
            U bob< * STATUS Akten (UIDVALIDITY 3)
            S: * STATUS theirs (HIGHESTMODSEQ 0)
            U bob< T OK Done.
            S: a1 OK STATUS completed
            """
        )
    }

    @Test func `a QUOTAROOT response has the client's name of the mailbox`() throws {
        try Self.run(
            "a1 GETQUOTAROOT x",
            configure: { $0.mailbox = ByteBuffer(string: "theirs") },
            """
            U bob< * QUOTAROOT INBOX ""
            S: * QUOTAROOT theirs ""
            U bob< T OK Done.
            S: a1 OK GETQUOTAROOT completed
            """
        )
    }

    // MARK: - STORE in two steps

    private static func configureStore(_ forwarding: Forwarding) {
        forwarding.followUpRights = [.seen]
        forwarding.followUps = [
            (
                tag: ByteBuffer(string: "t2"),
                segments: [ByteBuffer(string: "t2 UID STORE\r\n")]
            )
        ]
    }

    @Test func `the second command is sent after the first one succeeded`() throws {
        try Self.run(
            "a1 UID STORE 1 FLAGS (\\Seen)",
            configure: Self.configureStore,
            """
            U bob< T OK Done.
            U bob> T UID STORE
            U bob< T OK Done.
            S: a1 OK STORE completed
            """
        )
    }

    @Test func `rights that are withdrawn between two commands stop the second one`() throws {
        try Self.run(
            "a1 UID STORE 1 FLAGS (\\Seen)",
            configure: Self.configureStore,
            """
            ! grant bob account lr
            U bob< T OK Done.
            S: a1 NO [NOPERM] Permission denied
            """
        )
    }

    @Test func `the second command is not sent after a refusal`() throws {
        try Self.run(
            "a1 UID STORE 1 FLAGS (\\Seen)",
            configure: Self.configureStore,
            "U bob< T NO No.\nS: a1 NO Refused by the mail server"
        )
    }

    // MARK: - Searches

    @Test func `a search without updates gets NOUPDATE once`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        let forwarding = Forwarding(try Self.tagged("a1 SEARCH ALL"), to: 2, segments: [])
        forwarding.updatingTag = ByteBuffer(string: "t1")
        #expect(!forwarding.updateRefused(ByteBuffer(string: "t9"), in: &context))
        #expect(forwarding.updateRefused(ByteBuffer(string: "t1"), in: &context))
        #expect(!forwarding.updateRefused(ByteBuffer(string: "t1"), in: &context))
        #expect(context.log == ["S: * NO [NOUPDATE \"a1\"] Changes of this search are not told"])
    }

    @Test func `a search with updates is recorded in the selected mailbox`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "")
        context.select("bob")
        let forwarding = Forwarding(try Self.tagged("a1 SEARCH ALL"), to: 2, segments: [])
        forwarding.updatingTag = ByteBuffer(string: "t1")
        let completion = Completion(condition: .ok, code: nil)
        #expect(try forwarding.received(.completed(completion), from: 2, in: &context))
        #expect(context.selected?.updating.map { String(buffer: $0.client) } == ["a1"])
    }

    @Test func `an answer with an unparsable part is not OK`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "")
        let forwarding = Forwarding(try Self.tagged("a1 CREATE x"), to: 2, segments: [])
        forwarding.outcome = .foldersChanged
        let completion = Completion(condition: .no, code: nil, isIncomplete: true)
        #expect(try forwarding.received(.completed(completion), from: 2, in: &context))
        #expect(
            context.log == [
                "foldersChanged",
                "S: a1 NO [UNAVAILABLE] A part of the mail server's answer cannot be read",
            ]
        )
    }

    @Test(arguments: [
        ("a1 FETCH 1 UID", true), ("a1 CHECK", true), ("a1 STATUS x (UNSEEN)", false),
    ])
    func `a command on messages has the long time limit`(text: String, isWork: Bool) throws {
        let forwarding = Forwarding(try Self.tagged(text), to: 2, segments: [])
        #expect(
            forwarding.awaitedAnswer(of: 2, isInFlight: true) == (isWork ? .work : .prompt)
        )
        #expect(forwarding.awaitedAnswer(of: 2, isInFlight: false) == nil)
    }
}
