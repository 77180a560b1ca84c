import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What a running command sees of its session, and may do there.
protocol CommandContext {
    // MARK: The client

    /// The client's octets.
    var reader: CommandReader { get set }

    /// Sends octets of the gateway's own to the client, never inside a server's response.
    mutating func emit(_ octets: ByteBuffer)

    /// Answers the command, which is over then; the next one may run.
    mutating func finish(_ tag: ByteBuffer, text: ReplyText)

    /// Ends the command before it is answered: what is done in between is not done for it.
    mutating func leaveCommand()

    /// Ends the client's connection, and every upstream one with it.
    mutating func end(_ text: ReplyText?)

    /// Counts a line of the client that makes no sense.
    mutating func strike()

    /// Takes what the client has sent meanwhile.
    mutating func readClient()

    /// Lets the other sessions on the loop work; the session goes on in a later turn.
    mutating func yieldLoop()

    // MARK: The servers

    /// The connection to an account's server, if there is one or one was asked for.
    func upstream(of account: AccountID) -> Upstream?

    /// Connects to an account's server, unless that has been asked for.
    mutating func open(_ account: AccountID)

    /// Closes the connection to an account's server.
    mutating func drop(_ account: AccountID)

    /// Reads nothing more of a server that was told to close the connection.
    /// - Parameter request: for the journal, once it has.
    mutating func leave(_ account: AccountID, then request: JournalRequest)

    /// Takes what has come from a server that was not read meanwhile.
    mutating func readUpstream(_ account: AccountID)

    /// Nothing of the command runs at a server any more: what had to wait for that may be asked now.
    mutating func commandLeft(_ account: AccountID)

    /// Asks for an effect outside the session.
    mutating func perform(_ action: Action)

    /// Calls for a poll of mailboxes whose servers tell nothing by themselves.
    mutating func pollLater()

    // MARK: What is known

    /// The user who is logged in.
    var user: UserID? { get }

    /// When the present event came.
    var now: Moment { get }

    /// Counts the client's commands.
    var commandNumber: UInt64 { get }

    /// What the client enabled (RFC 5161).
    var enabled: Set<String> { get }

    /// The accounts in sight, and their names.
    var namespace: Namespace { get }

    /// The account whose response has passed to the client in part; everything else waits.
    var passing: AccountID? { get }

    /// Which folders of an account are subscribed before the user decided about any of them.
    func subscriptionBase(of view: Namespace.View) -> SubscriptionBase

    /// A listed name of the account's own that has no path is left out, and logged.
    mutating func reportOmitted(_ name: ByteBuffer, from account: AccountID)

    /// The mailbox that the client has selected.
    var selected: SelectedMailbox? { get set }

    /// The refusal of a server whose command is being answered.
    var serverRefusal: ServerRefusal? { get }

    /// What the user may do on an account, by the snapshot in force.
    mutating func access(to account: AccountID) -> AccountAccess

    /// Whether a folder exists for the user; nil where its server has to be asked first.
    mutating func exists(
        _ folder: FolderPath,
        as existence: FolderExistence,
        in account: AccountID
    ) -> Bool?

    /// Asks an idle server for its folders.
    /// - Returns: false where it failed to tell them during this command.
    mutating func requestFolders(of account: AccountID) -> Bool

    /// What was read of the mailbox that is left goes into the audit log.
    mutating func auditReadingEnded()
}

/// Where a folder has to be in the server's list.
enum FolderExistence {
    /// As a mailbox that the server lists.
    case listed
    /// As a mailbox, or as a name that stands above one: something may be created below it.
    case parent
}

extension CommandContext {
    /// Sends octets to an account's server.
    mutating func send(_ octets: ByteBuffer, to account: AccountID) {
        self.perform(.toUpstream(account, octets))
    }

    /// Sends a command that has one segment.
    mutating func send(_ encoder: CommandEncoder, to account: AccountID) {
        var encoder = encoder
        for segment in encoder.finish() { self.send(segment, to: account) }
    }

    /// An encoder for the next command to an account's server, whose tag is now in flight.
    mutating func encoder(for account: AccountID) -> CommandEncoder {
        guard let upstream = self.upstream(of: account) else {
            return CommandEncoder(tag: ByteBuffer(), literals: .synchronizing)
        }
        let tag = upstream.tags.next()
        upstream.inFlight = tag
        return CommandEncoder(tag: tag, literals: upstream.profile.literals)
    }

    // MARK: - Rights

    /// Rights in one folder, by the snapshot in force: none that are kept while a server works
    /// would be those at its answer.
    mutating func rights(in folder: FolderPath, of account: AccountID) -> Rights {
        self.access(to: account).rights(in: folder)
    }

    mutating func mayRead(_ folder: FolderPath, of account: AccountID) -> Bool {
        self.rights(in: folder, of: account).contains([.lookup, .read])
    }

    mutating func mayCreate(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        guard let parent = folder.parent else {
            return access.coversAccount.contains(.createMailbox)
        }
        return access.rights(in: parent).contains(.createMailbox)
    }

    // MARK: - Refusals

    /// The client's answer where a server refused. The server's own words pass to the owner alone: they
    /// may name what others must not know of.
    func refusal(_ condition: Condition, code: ResponseCode?) -> ReplyText {
        if case .nonExistent? = code { return .noSuchMailbox }
        guard condition != .bad else { return .badForServer }
        let shown = self.serverRefusal?.shown(with: code) ?? code?.forClient
        guard let words = self.serverRefusal?.words else { return .refusedByServer(shown) }
        return .refusedWithWords(shown, words)
    }

    func refusal(_ completion: Completion) -> ReplyText {
        self.refusal(completion.condition, code: completion.code)
    }

    /// The refusal where the target of APPEND, COPY or MOVE is missing: who may create it is told to
    /// (RFC 9051 §6.3.12).
    mutating func missingTarget(_ folder: FolderPath, in account: AccountID) -> ReplyText {
        self.mayCreate(folder, in: account) ? .tryCreate : .noSuchMailbox
    }
}
