package import struct NIOCore.ByteBuffer

/// A client's command, parsed completely: it contains no unknown part.
///
/// APPEND is not a case: its messages are streamed, and its head is an ``AppendHead``.
package enum Command: Equatable, Sendable {
    // Any state (RFC 9051 §6.1)
    case capability
    case noop
    case logout
    case id
    // Not authenticated (RFC 9051 §6.2)
    case startTLS
    case login(Login)
    case authenticate(Authenticate)
    // Authenticated (RFC 9051 §6.3)
    case enable(Enable)
    case namespace
    case list(List)
    case lsub(Lsub)
    case subscribe(ClientMailbox)
    case unsubscribe(ClientMailbox)
    case status(Status)
    case select(Select)
    case examine(Select)
    case create(Create)
    case delete(ClientMailbox)
    case rename(Rename)
    case idle
    case notify(Notify)
    case myRights(ClientMailbox)
    case getACL(ClientMailbox)
    case setACL(SetACL)
    case deleteACL(DeleteACL)
    case listRights(ListRights)
    case getQuota(ByteBuffer)
    case getQuotaRoot(ClientMailbox)
    // Selected (RFC 9051 §6.4)
    case check
    case close
    case unselect
    case expunge
    case uidExpunge(SequenceSet)
    case fetch(Fetch)
    case store(StoreFlags)
    case search(Search)
    /// The tags of searches whose updates end (RFC 5267 §4.3.5).
    case cancelUpdate([ByteBuffer])
    case sort(Sort)
    case thread(Thread)
    case copy(Copy)
    case move(Copy)
}

/// The result of parsing a frame.
package enum ParsedCommand: Equatable {
    /// A valid command.
    case command(tag: ByteBuffer, Command)
    /// - Parameter tag: nil if the frame has no valid tag to repeat.
    case malformed(tag: ByteBuffer?, SyntaxError)
}

/// The parser for complete frames.
package enum CommandParser {
    /// The longest tag, in octets: clients use about ten, and an answer repeats the tag.
    package static let maximumTagOctets = 64

    /// Parses one command.
    ///
    ///     command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
    ///
    /// - Parameter frame: a command without its final CR LF, with literals in line.
    package static func parse(_ frame: ByteBuffer) -> ParsedCommand {
        var cursor = Cursor(frame)
        do {
            let tag = try cursor.tag()
            do {
                return .command(tag: tag, try cursor.command())
            } catch {
                return .malformed(tag: tag, error)
            }
        } catch {
            return .malformed(tag: nil, error)
        }
    }

    /// Parses the head of an APPEND.
    /// - Parameter head: the command up to the announcement of its first message.
    package static func parseAppendHead(first head: ByteBuffer) -> ParsedAppendHead {
        var cursor = Cursor(head)
        do {
            let tag = try cursor.tag()
            guard cursor.take(argumentsOf: "APPEND") else {
                return .malformed(tag: tag, cursor.error(.unknownCommand))
            }
            do {
                return .head(tag: tag, try cursor.appendHead())
            } catch {
                return .malformed(tag: tag, error)
            }
        } catch {
            return .malformed(tag: nil, error)
        }
    }

    /// Parses the head of a further message (RFC 3502).
    /// - Parameter head: the octets between two messages of an APPEND.
    package static func parseAppendContinuation(
        _ head: ByteBuffer
    ) throws(SyntaxError) -> AppendHead {
        var cursor = Cursor(head)
        var further = AppendHead(mailbox: ClientMailbox(wire: ByteBuffer()), flags: [])
        try cursor.appendOptions(&further)
        return further
    }
}

/// Names of commands with arguments.
private enum NamedCommand: String {
    case append = "APPEND"
    case authenticate = "AUTHENTICATE"
    case cancelUpdate = "CANCELUPDATE"
    case copy = "COPY"
    case create = "CREATE"
    case delete = "DELETE"
    case deleteACL = "DELETEACL"
    case enable = "ENABLE"
    case examine = "EXAMINE"
    case getACL = "GETACL"
    case getQuota = "GETQUOTA"
    case getQuotaRoot = "GETQUOTAROOT"
    case id = "ID"
    case list = "LIST"
    case listRights = "LISTRIGHTS"
    case login = "LOGIN"
    case lsub = "LSUB"
    case move = "MOVE"
    case myRights = "MYRIGHTS"
    case notify = "NOTIFY"
    case rename = "RENAME"
    case search = "SEARCH"
    case select = "SELECT"
    case setACL = "SETACL"
    case sort = "SORT"
    case status = "STATUS"
    case store = "STORE"
    case subscribe = "SUBSCRIBE"
    case thread = "THREAD"
    case unsubscribe = "UNSUBSCRIBE"
}

extension Cursor {
    ///     tag = 1*<any ASTRING-CHAR except "+">
    fileprivate mutating func tag() throws(SyntaxError) -> ByteBuffer {
        let tag = self.takeRun(where: \.isTagChar)
        guard (1...CommandParser.maximumTagOctets).contains(tag.readableBytes), self.take(" ")
        else { throw self.error(.malformedTag) }
        return tag
    }

    fileprivate mutating func command() throws(SyntaxError) -> Command {
        let name = try self.atom()
        // The most frequent commands first: no String is created for them.
        if name.equals(word: "NOOP") { return try self.bare(.noop) }
        if name.equals(word: "FETCH") {
            try self.expectBlank()
            return .fetch(try self.fetch(isUID: false))
        }
        if name.equals(word: "UID") {
            // Other servers do not accept a second space here either.
            try self.expectSpace()
            return try self.uidCommand()
        }
        let upper = name.uppercasedText()
        if let command = Self.bare[upper] { return try self.bare(command) }
        guard let named = NamedCommand(rawValue: upper) else { throw self.error(.unknownCommand) }
        try self.expectBlank()
        return try self.arguments(of: named)
    }

    /// Commands without arguments.
    private static let bare: [String: Command] = [
        "CAPABILITY": .capability, "LOGOUT": .logout, "STARTTLS": .startTLS,
        "NAMESPACE": .namespace, "IDLE": .idle, "CHECK": .check, "CLOSE": .close,
        "UNSELECT": .unselect, "EXPUNGE": .expunge,
    ]

    private mutating func bare(_ command: Command) throws(SyntaxError) -> Command {
        try self.expectEndOfCommand()
        return command
    }

    private mutating func arguments(of command: NamedCommand) throws(SyntaxError) -> Command {
        switch command {
        case .list: .list(try self.listCommand())
        case .lsub: .lsub(try self.lsub())
        case .status: .status(try self.status())
        case .select: .select(try self.select())
        case .examine: .examine(try self.select())
        case .store: .store(try self.store(isUID: false))
        case .search: .search(try self.search(isUID: false))
        case .sort: .sort(try self.sort(isUID: false))
        case .thread: .thread(try self.thread(isUID: false))
        case .copy: .copy(try self.copy(isUID: false))
        case .move: .move(try self.copy(isUID: false))
        case .notify: .notify(try self.notify())
        case .cancelUpdate: .cancelUpdate(try self.canceledUpdates())
        case .login: .login(try self.login())
        case .authenticate: .authenticate(try self.authenticate())
        case .enable: .enable(try self.enable())
        case .id: try self.identificationCommand()
        case .subscribe: .subscribe(try self.onlyMailbox())
        case .unsubscribe: .unsubscribe(try self.onlyMailbox())
        case .create: .create(try self.create())
        case .delete: .delete(try self.onlyMailbox())
        case .rename: .rename(try self.rename())
        case .myRights: .myRights(try self.onlyMailbox())
        case .getACL: .getACL(try self.onlyMailbox())
        case .setACL: .setACL(try self.setACL())
        case .deleteACL: .deleteACL(try self.deleteACL())
        case .listRights: .listRights(try self.listRights())
        case .getQuotaRoot: .getQuotaRoot(try self.onlyMailbox())
        case .getQuota: .getQuota(try self.onlyAstring())
        // An APPEND that gets here announced no message.
        case .append: throw self.error(.expected("arguments of the command"))
        }
    }

    private mutating func identificationCommand() throws(SyntaxError) -> Command {
        try self.identification()
        return .id
    }

    private mutating func deleteACL() throws(SyntaxError) -> DeleteACL {
        let (mailbox, identifier) = try self.mailboxAndIdentifier()
        try self.expectEndOfCommand()
        return DeleteACL(mailbox: mailbox, identifier: identifier)
    }

    private mutating func listRights() throws(SyntaxError) -> ListRights {
        let (mailbox, identifier) = try self.mailboxAndIdentifier()
        try self.expectEndOfCommand()
        return ListRights(mailbox: mailbox, identifier: identifier)
    }

    ///     uid = "UID" SP (copy / move / fetch / search / store / sort / thread / uid-expunge)
    private mutating func uidCommand() throws(SyntaxError) -> Command {
        let name = try self.atom().uppercasedText()
        try self.expectBlank()
        switch name {
        case "FETCH": return .fetch(try self.fetch(isUID: true))
        case "STORE": return .store(try self.store(isUID: true))
        case "SEARCH": return .search(try self.search(isUID: true))
        case "SORT": return .sort(try self.sort(isUID: true))
        case "THREAD": return .thread(try self.thread(isUID: true))
        case "COPY": return .copy(try self.copy(isUID: true))
        case "MOVE": return .move(try self.copy(isUID: true))
        case "EXPUNGE": return .uidExpunge(try self.onlySequenceSet())
        default: throw self.error(.unknownCommand)
        }
    }
}
