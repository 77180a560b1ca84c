import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of COPY and MOVE between accounts, without a session.
@Suite struct TransferringTests {
    private static let unavailable =
        "NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"
    private static let date = "\"17-Jul-1996 02:44:25 -0700\""

    private static func copy() throws -> Copy {
        guard
            case .command(_, .copy(let copy)) = CommandParser.parse(
                ByteBuffer(string: "a1 UID COPY 5 x")
            )
        else { throw SyntaxError(.unknownCommand, at: 0) }
        return copy
    }

    /// From Anna's INBOX to a folder of Bob's.
    private static func run(
        moves: Bool = false,
        grant: String = "bob account lrswi",
        source: String = "LITERAL+ UIDPLUS UNSELECT",
        target: String = "LITERAL+ UIDPLUS UNSELECT",
        _ script: String
    ) throws {
        var context = try RecordedContext(grants: [grant])
        context.connect("anna", source)
        context.connect("bob", target)
        context.select("anna")
        let plan = TransferPlan(
            tag: ByteBuffer(string: "a1"),
            moves: moves,
            copy: try Self.copy(),
            from: try #require(context.selected),
            to: 2,
            folder: try #require(FolderPath(octets: Array("Akten".utf8))),
            name: ByteBuffer(string: "Akten"),
            mayCreate: false
        )
        let rights = try #require(Rights(letters: String(grant.split(separator: " ")[2])))
        let transferring = Transferring(plan, rights: rights)
        try MachineScript.run(transferring, in: context, script: script) {
            transferring.begin(in: &$0)
        }
    }

    private static let selecting = "reportLater\nU bob> T SELECT Akten\n"
    private static let selected =
        Self.selecting + """
            U bob< * OK [UIDVALIDITY 7] Ok
            U bob< * OK [UIDNEXT 3] Ok
            U bob< T OK [READ-WRITE] Done.
            U anna> T UID FETCH 5 (UID FLAGS INTERNALDATE)

            """
    private static let listed =
        Self.selected + """
            U anna< * 1 FETCH (UID 5 FLAGS (\\Seen \\Deleted) INTERNALDATE \(Self.date))
            U anna< T OK Done.
            journal record

            """
    private static let asked =
        Self.listed + "! journal recorded\nU anna> T UID FETCH 5 (UID BODY.PEEK[])\n"
    private static let announced =
        Self.asked + """
            U anna< * 1 FETCH (UID 5 BODY[] {5}\\r\\nhello)
            U bob> T APPEND Akten (\\Seen) \(Self.date) {5}
            U bob< + OK
            read anna
            U bob> hello

            """
    private static let passed = Self.announced + "U anna< T OK Done.\njournal append\n"
    private static let sent = Self.passed + "! journal appending\nU bob> \\r\\n\n"
    private static let stored = Self.sent + "U bob< T OK [APPENDUID 7 3] Done.\n"
    private static let left = "U bob> T UNSELECT\n"

    // MARK: - Messages

    @Test func `COPY stores a message with the flags that the user may set`() throws {
        try Self.run(
            Self.stored + """
                journal forget
                ! journal forgotten
                \(Self.left)S: a1 OK [COPYUID 7 5 3] COPY completed
                """
        )
    }

    @Test func `MOVE expunges the originals after the journal has recorded the copies`() throws {
        try Self.run(
            moves: true,
            Self.stored + """
                journal confirm
                ! journal confirmed
                U anna> T UID STORE 5 +FLAGS.SILENT (\\Deleted)
                U anna< T OK Done.
                S: * OK [COPYUID 7 5 3] Ok
                U anna> T UID EXPUNGE 5
                U anna< T OK Done.
                journal forget
                ! journal forgotten
                \(Self.left)S: a1 OK MOVE completed
                """
        )
    }

    @Test func `COPY of messages that do not exist completes without APPEND`() throws {
        try Self.run(
            Self.selected + """
                U anna< T OK Done.
                \(Self.left)S: a1 OK COPY completed
                """
        )
    }

    // MARK: - Refusals

    @Test(
        arguments: [
            ("U bob< T OK [READ-ONLY] Done.", "NO [NOPERM] Permission denied"),
            ("U bob< T NO [NONEXISTENT] No.", "NO [NONEXISTENT] No such mailbox"),
            ("U bob< T BAD No.", "BAD Refused by the mail server"),
        ]
    )
    func `a target that cannot be selected ends the transfer`(end: String, answer: String) throws {
        try Self.run(Self.selecting + "\(end)\n\(Self.left)S: a1 \(answer)")
    }

    @Test func `a target that refuses SELECT without a code is searched with LIST`() throws {
        try Self.run(
            Self.selecting + """
                U bob< T NO No.
                U bob> T LIST "" Akten
                U bob< T OK Done.
                \(Self.left)S: a1 NO [NONEXISTENT] No such mailbox
                """
        )
        try Self.run(
            Self.selecting + """
                U bob< T NO No.
                U bob> T LIST "" Akten
                U bob< * LIST () "/" Akten
                U bob< T OK Done.
                \(Self.left)S: a1 NO Refused by the mail server
                """
        )
    }

    @Test func `a transfer does not begin if the journal fails or is busy`() throws {
        try Self.run(Self.listed + "! journal recorded not\n\(Self.left)S: a1 \(Self.unavailable)")
        try Self.run(
            Self.listed
                + "! journal busy\n\(Self.left)S: a1 NO [INUSE] Some of these messages are being moved: try again in a moment"
        )
    }

    @Test func `a refused APPEND needs no recovery`() throws {
        try Self.run(
            Self.sent + """
                U bob< T NO [OVERQUOTA] Full.
                journal forget
                ! journal forgotten
                \(Self.left)S: a1 NO [OVERQUOTA] Refused by the mail server
                """
        )
    }

    @Test func `an answer in the middle of a message drops the target`() throws {
        try Self.run(
            Self.announced + """
                U bob< T OK Done.
                drop bob
                read anna
                U anna< T OK Done.
                journal forget
                ! journal forgotten
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test func `the target never gets the end of a message that the journal lacks`() throws {
        try Self.run(
            Self.passed + """
                ! journal appending not
                drop bob
                journal forget
                ! journal forgotten
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test func `a FETCH response with another message breaks the protocol`() throws {
        #expect(throws: SyntaxError.self) {
            try Self.run(Self.asked + "U anna< * 1 FETCH (UID 6 BODY[] {5}\\r\\nhello)")
        }
    }

    // MARK: - Permissions

    @Test func `rights that end in the middle of a message cut the message`() throws {
        try Self.run(
            Self.announced + """
                ! grant bob account lr
                drop bob
                read anna
                U anna< T OK Done.
                journal forget
                ! journal forgotten
                S: a1 NO [NOPERM] Permission denied
                """
        )
    }

    @Test func `rights that end before the target's answer start the recovery`() throws {
        try Self.run(
            Self.sent + """
                ! grant bob account lr
                drop bob
                journal resolve
                ! journal undone
                S: a1 NO [NOPERM] Permission denied
                """
        )
    }

    @Test func `lost rights in the target do not stop a MOVE after all copies`() throws {
        try Self.run(
            moves: true,
            Self.stored + """
                journal confirm
                ! journal confirmed
                U anna> T UID STORE 5 +FLAGS.SILENT (\\Deleted)
                ! grant bob account lr
                U anna< T OK Done.
                S: * OK [COPYUID 7 5 3] Ok
                U anna> T UID EXPUNGE 5
                U anna< T OK Done.
                journal forget
                ! journal forgotten
                \(Self.left)S: a1 OK MOVE completed
                """
        )
    }

    // MARK: - Servers that are lost

    @Test func `a source that is lost in a message drops the target`() throws {
        try Self.run(
            Self.announced + """
                ! lost anna
                drop bob
                journal forget
                ! journal forgotten
                S: a1 \(Self.unavailable)
                """
        )
    }

    @Test func `a target that is lost before its answer starts the recovery`() throws {
        try Self.run(
            Self.sent + """
                ! lost bob
                journal resolve
                ! journal postponed
                S: a1 NO [UNAVAILABLE] Not copied; copies that are there go as soon as their server answers
                """
        )
    }

    @Test func `a source that is lost during STORE starts the recovery`() throws {
        try Self.run(
            moves: true,
            Self.stored + """
                journal confirm
                ! journal confirmed
                U anna> T UID STORE 5 +FLAGS.SILENT (\\Deleted)
                ! lost anna
                \(Self.left)journal resolve
                ! journal postponed
                S: * OK [COPYUID 7 5 3] Ok
                S: a1 OK MOVE completed; the originals go as soon as their server answers
                """
        )
    }

    @Test func `a refused STORE removes the marks before the copies are removed`() throws {
        try Self.run(
            moves: true,
            Self.stored + """
                journal confirm
                ! journal confirmed
                U anna> T UID STORE 5 +FLAGS.SILENT (\\Deleted)
                U anna< T NO No.
                \(Self.left)journal resolve
                ! journal undone
                S: a1 NO Refused by the mail server
                """
        )
    }

    @Test func `a transfer ignores events of other servers`() throws {
        var context = try RecordedContext(grants: ["bob account lrswi"])
        context.select("anna")
        let plan = TransferPlan(
            tag: ByteBuffer(string: "a1"),
            moves: true,
            copy: try Self.copy(),
            from: try #require(context.selected),
            to: 2,
            folder: try #require(FolderPath(octets: Array("Akten".utf8))),
            name: ByteBuffer(string: "Akten"),
            mayCreate: false
        )
        let transferring = Transferring(plan, rights: .all)
        #expect(try !transferring.received(.lost(answer: .unavailable), from: 3, in: &context))
        #expect(try !transferring.received(.ready, from: 1, in: &context))
        #expect(transferring.awaitedAnswer(of: 2, isInFlight: true) == .prompt)
        #expect(transferring.awaitedAnswer(of: 1, isInFlight: true) == nil)
        #expect(throws: SyntaxError.self) {
            _ = try transferring.received(.continued, from: 1, in: &context)
        }
    }
}
