import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of SELECT and EXAMINE, without a session.
@Suite struct SelectingTests {
    private static let folder = FolderPath(octets: Array("Akten".utf8))
    private static let left = FolderPath(octets: Array("Post".utf8))

    private static func tagged() throws -> TaggedCommand {
        let line = ByteBuffer(string: "a1 SELECT x")
        guard case .command(let tag, let command) = CommandParser.parse(line) else {
            throw SyntaxError(.unknownCommand, at: 0)
        }
        return TaggedCommand(tag: tag, command: command, traits: command.row.traits)
    }

    /// - Returns: the selected mailbox afterwards.
    private static func run(
        grant: String = "bob account lrswite",
        isExamine: Bool = false,
        tellsNoModSeq: Bool = false,
        leaving left: FolderPath? = nil,
        _ script: String
    ) throws -> SelectedMailbox? {
        var context = try RecordedContext(grants: [grant])
        context.connect("bob", "LITERAL+")
        let selecting = Selecting(
            try Self.tagged(),
            folder: try #require(Self.folder),
            in: 2,
            leaving: left,
            mode: Selecting.Mode(
                isExamine: isExamine,
                isReadOnlyUpstream: isExamine,
                tellsNoModSeq: tellsNoModSeq,
                enablesModSeqs: false
            )
        )
        var run = MachineScript(selecting, in: context)
        var encoder = run.context.encoder(for: 2)
        encoder.write(word: "SELECT Akten")
        selecting.begin(encoder, in: &run.context)
        try run.play("U bob> T SELECT Akten\n" + script)
        return run.context.selected
    }

    @Test func `a mailbox is selected after the server's OK, with the reported properties`() throws
    {
        let selected = try Self.run(
            """
            U bob< * FLAGS (\\Seen Eilt)
            S: * FLAGS (\\Seen Eilt)
            U bob< * OK [UIDVALIDITY 9] Ok
            S: * OK [UIDVALIDITY 9] Ok
            U bob< * OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] Ok
            S: * OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] Ok
            U bob< T OK [READ-WRITE] Done.
            S: a1 OK [READ-WRITE] SELECT completed
            """
        )
        #expect(selected?.uidValidity == 9)
        #expect(selected?.folder == Self.folder)
        #expect(selected?.flags.map { String(buffer: $0) } == ["\\Seen", "Eilt"])
        #expect(selected?.isReadOnlyUpstream == false)
    }

    @Test func `a response code after the tagged OK is ignored`() throws {
        let selected = try Self.run(
            """
            U bob< T OK [READ-WRITE] Done.
            S: a1 OK [READ-WRITE] SELECT completed
            U bob< * OK [UIDVALIDITY 9] Ok
            """
        )
        #expect(selected?.uidValidity == nil)
    }

    @Test(
        arguments: [
            ("lrs", "(\\Seen)", "[READ-WRITE]"), ("lrt", "(\\Deleted)", "[READ-WRITE]"),
            ("lrw", "(\\*)", "[READ-WRITE]"), ("lr", "()", "[READ-ONLY]"),
        ]
    )
    func `PERMANENTFLAGS has only flags that the user may set`(
        rights: String,
        flags: String,
        mode: String
    ) throws {
        _ = try Self.run(
            grant: "bob account \(rights)",
            """
            U bob< * OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] Ok
            S: * OK [PERMANENTFLAGS \(flags)] Ok
            U bob< T OK [READ-WRITE] Done.
            S: a1 OK \(mode) SELECT completed
            """
        )
    }

    @Test func `EXAMINE opens read-only and without permanent flags`() throws {
        _ = try Self.run(
            isExamine: true,
            """
            U bob< * OK [PERMANENTFLAGS (\\Seen)] Ok
            S: * OK [PERMANENTFLAGS ()] Ok
            U bob< T OK [READ-ONLY] Done.
            S: a1 OK [READ-ONLY] SELECT completed
            """
        )
    }

    @Test func `a mailbox that the server opens read-only is read-only for the client`() throws {
        _ = try Self.run(
            """
            U bob< T OK [READ-ONLY] Done.
            S: a1 OK [READ-ONLY] SELECT completed
            """
        )
    }

    @Test func `unusable mod-sequences are replaced by NOMODSEQ`() throws {
        _ = try Self.run(
            tellsNoModSeq: true,
            """
            U bob< * OK [HIGHESTMODSEQ 4] Ok
            U bob< T OK Done.
            S: * OK [NOMODSEQ] Ok
            S: a1 OK [READ-WRITE] SELECT completed
            """
        )
    }

    @Test(
        arguments: [
            ("U bob< T NO [NONEXISTENT] No.", "NO [NONEXISTENT] No such mailbox"),
            ("U bob< T NO No.", "NO Refused by the mail server"),
            ("U bob< T BAD No.", "BAD Refused by the mail server"),
            ("! lost bob", "NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"),
        ]
    )
    func `no mailbox is selected after a refusal or a lost server`(
        end: String,
        answer: String
    ) throws {
        #expect(try Self.run("\(end)\nS: a1 \(answer)") == nil)
    }

    @Test func `SELECT drops the connection if the right to read ends before the OK`() throws {
        let selected = try Self.run(
            """
            ! grant bob folder:Post lr
            drop bob
            S: a1 NO [NOPERM] Permission denied
            """
        )
        #expect(selected == nil)
    }

    @Test func `SELECT drops the connection if the mailbox being left may no longer be read`()
        throws
    {
        let script = """
            ! grant bob folder:Akten lr
            drop bob
            S: a1 NO [NOPERM] Permission denied
            """
        #expect(try Self.run(leaving: Self.left, script) == nil)
        #expect(
            try Self.run(
                "! grant bob folder:Akten lr\nU bob< T OK Done.\nS: a1 OK [READ-ONLY] SELECT completed"
            ) != nil
        )
    }

    @Test func `an unparsable part of the answer drops the connection`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "")
        let selecting = Selecting(
            try Self.tagged(),
            folder: try #require(Self.folder),
            in: 2,
            leaving: nil,
            mode: Selecting.Mode(
                isExamine: false,
                isReadOnlyUpstream: false,
                tellsNoModSeq: false,
                enablesModSeqs: false
            )
        )
        let completion = Completion(condition: .no, code: nil, isIncomplete: true)
        #expect(try selecting.received(.completed(completion), from: 2, in: &context))
        #expect(
            context.log == [
                "drop bob",
                "S: a1 NO [UNAVAILABLE] A part of the mail server's answer cannot be read",
            ]
        )
        #expect(try !selecting.received(.completed(completion), from: 1, in: &context))
    }

    @Test func `SELECT ignores a continuation request after its last segment`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "")
        let tagged = try Self.tagged()
        let mode = Selecting.Mode(
            isExamine: false,
            isReadOnlyUpstream: false,
            tellsNoModSeq: false,
            enablesModSeqs: false
        )
        let folder = try #require(Self.folder)
        let selecting = Selecting(tagged, folder: folder, in: 2, leaving: nil, mode: mode)
        var encoder = context.encoder(for: 2)
        encoder.write(word: "SELECT")
        encoder.write(mailbox: ByteBuffer(string: "{odd"))
        selecting.begin(encoder, in: &context)
        context.log = []
        while try selecting.received(.continued, from: 2, in: &context) {}
        #expect(!context.isFinished)
    }
}
