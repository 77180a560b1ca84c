import IMAP
import NIOCore
import Testing

@testable import Session

/// The command table and the response table.
@Suite struct CommandTableTests {
    private static func traits(_ line: String) throws -> CommandTraits {
        guard case .command(_, let command) = CommandParser.parse(ByteBuffer(string: "a \(line)"))
        else {
            Issue.record("cannot be read: \(line)")
            throw SyntaxError(.unknownCommand, at: 0)
        }
        return command.row.traits
    }

    /// `select!` for an event that is recorded for every result, `fetch@` for one about the
    /// selected mailbox, empty for a command without an event.
    private static func text(_ audited: AuditedCommand?) -> String {
        guard let audited else { return "" }
        return audited.name + (audited.isOnSelected ? "@" : "")
            + (audited.isRecordedWhenAllowed ? "!" : "")
    }

    @Test(
        arguments: [
            ("CAPABILITY", CommandTraits.States.any), ("NOOP", .any), ("LOGOUT", .any),
            ("ID NIL", .any), ("STARTTLS", .notAuthenticated), ("LOGIN a b", .notAuthenticated),
            ("AUTHENTICATE PLAIN", .notAuthenticated), ("ENABLE CONDSTORE", .loggedIn),
            ("NAMESPACE", .loggedIn), ("LIST \"\" *", .loggedIn), ("LSUB \"\" *", .loggedIn),
            ("SUBSCRIBE x", .loggedIn), ("UNSUBSCRIBE x", .loggedIn), ("IDLE", .loggedIn),
            ("NOTIFY NONE", .loggedIn), ("SELECT x", .loggedIn), ("EXAMINE x", .loggedIn),
            ("STATUS x (UNSEEN)", .loggedIn), ("CREATE x", .loggedIn), ("DELETE x", .loggedIn),
            ("RENAME x y", .loggedIn), ("MYRIGHTS x", .loggedIn), ("GETACL x", .loggedIn),
            ("SETACL x bob lr", .loggedIn), ("DELETEACL x bob", .loggedIn),
            ("LISTRIGHTS x bob", .loggedIn), ("GETQUOTA \"\"", .loggedIn),
            ("GETQUOTAROOT x", .loggedIn), ("CHECK", .selected), ("CLOSE", .selected),
            ("UNSELECT", .selected), ("EXPUNGE", .selected), ("UID EXPUNGE 1", .selected),
            ("FETCH 1 UID", .selected), ("STORE 1 FLAGS ()", .selected), ("SEARCH ALL", .selected),
            ("SORT (DATE) UTF-8 ALL", .selected), ("THREAD REFERENCES UTF-8 ALL", .selected),
            ("COPY 1 x", .selected), ("MOVE 1 x", .selected), ("CANCELUPDATE \"a\"", .selected),
        ]
    )
    func `a command is allowed in these states`(line: String, states: CommandTraits.States) throws {
        #expect(try Self.traits(line).states == states)
    }

    @Test(
        arguments: [
            ("SELECT x", "select!"), ("EXAMINE x", "examine!"), ("STATUS x (UNSEEN)", "status!"),
            ("CREATE x", "create!"), ("DELETE x", "delete!"), ("RENAME x y", "rename!"),
            ("MYRIGHTS x", "myrights"), ("GETACL x", "getacl"), ("SETACL x bob lr", "setacl"),
            ("DELETEACL x bob", "deleteacl"), ("LISTRIGHTS x bob", "listrights"),
            ("GETQUOTAROOT x", "getquotaroot"), ("COPY 1 x", "copy@!"), ("MOVE 1 x", "move@!"),
            ("EXPUNGE", "expunge@!"), ("UID EXPUNGE 1", "expunge@!"), ("CLOSE", "close@!"),
            ("FETCH 1 UID", "fetch@"), ("STORE 1 FLAGS ()", "store@"), ("SEARCH ALL", "search@"),
            ("SORT (DATE) UTF-8 ALL", "sort@"), ("THREAD REFERENCES UTF-8 ALL", "thread@"),
            ("UNSELECT", ""), ("CHECK", ""), ("NOOP", ""), ("LIST \"\" *", ""), ("IDLE", ""),
            ("SUBSCRIBE x", ""), ("GETQUOTA \"\"", ""), ("NOTIFY NONE", ""),
        ]
    )
    func `a command has this audit event`(line: String, event: String) throws {
        #expect(Self.text(try Self.traits(line).audited) == event)
    }

    @Test func `both names of RENAME are recorded`() throws {
        let mailboxes = try Self.traits("RENAME x y").audited?.mailboxes ?? []
        #expect(mailboxes.map { String(buffer: $0.wire) } == ["x", "y"])
    }

    @Test(
        arguments: [
            ("FETCH 1 UID", true), ("UID FETCH 1 UID", false), ("STORE 1 FLAGS ()", true),
            ("UID STORE 1 FLAGS ()", false), ("COPY 1 x", true), ("UID COPY 1 x", false),
            ("MOVE 1 x", true), ("UID MOVE 1 x", false), ("SEARCH ALL", false), ("EXPUNGE", false),
            ("UID EXPUNGE 1", false), ("NOOP", false),
        ]
    )
    func `a command with message numbers is refused after an EXPUNGE, one with UIDs is not`(
        line: String,
        isOutdated: Bool
    ) throws {
        #expect(try Self.traits(line).usesMessageNumbers == isOutdated)
    }

    @Test(
        arguments: [
            "FETCH 1 UID", "SEARCH ALL", "SORT (DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL",
            "STORE 1 FLAGS ()", "COPY 1 x", "MOVE 1 x", "EXPUNGE", "CLOSE", "CHECK", "DELETE x",
            "RENAME x y",
        ]
    )
    func `a command on messages or a subtree has the long time limit`(line: String) throws {
        #expect(try Self.traits(line).awaited == .work)
    }

    @Test(
        arguments: [
            "NOOP", "UNSELECT", "STATUS x (UNSEEN)", "SELECT x", "CREATE x", "GETQUOTAROOT x",
            "CANCELUPDATE \"a\"", "SUBSCRIBE x",
        ]
    )
    func `all other commands have the short time limit`(line: String) throws {
        #expect(try Self.traits(line).awaited == .prompt)
    }

    @Test(
        arguments: [
            ("SELECT x (CONDSTORE)", true), ("EXAMINE x (CONDSTORE)", true), ("SELECT x", false),
            ("STATUS x (HIGHESTMODSEQ)", true), ("STATUS x (UNSEEN)", false),
            ("LIST \"\" * RETURN (STATUS (HIGHESTMODSEQ))", true), ("LIST \"\" *", false),
            ("FETCH 1 MODSEQ", true), ("FETCH 1 (FLAGS) (CHANGEDSINCE 3)", true),
            ("FETCH 1 FLAGS", false), ("STORE 1 (UNCHANGEDSINCE 3) FLAGS ()", true),
            ("SEARCH MODSEQ 3", true), ("SEARCH ALL", false), ("NOOP", false),
        ]
    )
    func `a command that uses mod-sequences enables CONDSTORE`(line: String, enables: Bool) throws {
        #expect(try Self.traits(line).enablesModSeqs == enables)
    }

    @Test func `only commands without effects are sent to a server again`() throws {
        #expect(try Self.traits("STATUS x (UNSEEN)").isRepeatable)
        #expect(try Self.traits("GETQUOTAROOT x").isRepeatable)
        for line in ["DELETE x", "CREATE x", "FETCH 1 UID", "STORE 1 FLAGS ()", "NOOP"] {
            #expect(try !Self.traits(line).isRepeatable, "\(line)")
        }
    }

    // MARK: - Responses

    @Test(
        arguments: [
            ("SEARCH ALL", "* SEARCH 1", true), ("SEARCH ALL", "* ESEARCH ALL 1", true),
            ("SEARCH ALL", "* SORT 1", false), ("SORT (DATE) UTF-8 ALL", "* SORT 1", true),
            ("THREAD REFERENCES UTF-8 ALL", "* THREAD (1)", true),
            ("FETCH 1 UID", "* SEARCH 1", false),
            ("STATUS x (UNSEEN)", "* STATUS x (UNSEEN 1)", true),
            ("GETQUOTA \"\"", "* QUOTA \"\" ()", true), ("NOOP", "* QUOTA \"\" ()", false),
            ("NOOP", "* XUNKNOWN", false),
        ]
    )
    func `a response is expected only by its own command`(
        line: String,
        response: String,
        isExpected: Bool
    ) throws {
        guard case .data(let kind) = try ResponseHead(ByteBuffer(string: "\(response)\r\n")) else {
            Issue.record("no data: \(response)")
            return
        }
        #expect(try Self.traits(line).expected.contains(kind) == isExpected)
    }

    @Test(arguments: [
        "* XUNKNOWN 1", "* CAPABILITY IMAP4rev1", "* ENABLED X", "* NAMESPACE NIL NIL NIL",
    ])
    func `unknown responses and those that the gateway writes itself are withheld`(
        response: String
    ) throws {
        guard case .data(let kind) = try ResponseHead(ByteBuffer(string: "\(response)\r\n")),
            case .withheld = kind.treatment
        else {
            Issue.record("it is not withheld: \(response)")
            return
        }
    }

    @Test func `a set of kinds contains only its members`() {
        let kinds: DataKinds = [.search, .unknown]
        #expect(kinds.contains(.search))
        #expect(kinds.contains(.unknown))
        #expect(!kinds.contains(.sort))
        #expect(!DataKinds().contains(.capability))
    }
}
