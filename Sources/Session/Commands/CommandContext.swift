import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The interface of a session to its running command. A test replaces the session by a recorder.
protocol CommandContext {
    // MARK: The client

    /// The client's octets.
    var reader: CommandReader { get set }

    /// Sends the gateway's own octets to the client, never inside a server's response.
    mutating func emit(_ octets: ByteBuffer)

    /// Sends the tagged response and ends the command. The next command may run.
    mutating func finish(_ tag: ByteBuffer, text: ReplyText)

    /// Ends the command before its tagged response. Events until then are not delivered to the command.
    mutating func leaveCommand()

    /// Ends the client's connection and all upstream connections.
    mutating func end(_ text: ReplyText?)

    /// Counts a syntax error of the client.
    mutating func strike()

    /// Reads the octets that the client has sent in the meantime.
    mutating func readClient()

    /// Yields the event loop to the other sessions. The session continues in a later turn.
    mutating func yieldLoop()

    // MARK: The servers

    /// The connection to an account's server, open or being opened; nil if there is none.
    func upstream(of account: AccountID) -> Upstream?

    /// Connects to an account's server, unless a connection is already being opened.
    mutating func open(_ account: AccountID)

    /// Closes the connection to an account's server.
    mutating func drop(_ account: AccountID)

    /// Reads nothing more from a server that got LOGOUT.
    ///
    /// - Parameter request: the journal request to make once the server has closed the connection.
    mutating func leave(_ account: AccountID, then request: JournalRequest)

    /// Reads the responses of a server whose connection was paused.
    mutating func readUpstream(_ account: AccountID)

    /// The command no longer uses a server: commands that waited for it may be sent now.
    mutating func commandLeft(_ account: AccountID)

    /// Requests an effect outside the session.
    mutating func perform(_ action: Action)

    /// Schedules a poll of mailboxes whose servers send no notifications.
    mutating func pollLater()

    // MARK: State of the session

    /// The user who is logged in.
    var user: UserID? { get }

    /// The time of the current event.
    var now: Moment { get }

    /// The number of the client's current command.
    var commandNumber: UInt64 { get }

    /// The capabilities that the client enabled (RFC 5161).
    var enabled: Set<String> { get }

    /// The accounts that the user can see, and their names.
    var namespace: Namespace { get }

    /// The account whose response was forwarded to the client in part; all other output waits for its end.
    var passing: AccountID? { get }

    /// The folders of an account that count as subscribed before the user has subscribed or unsubscribed any.
    func subscriptionBase(of view: Namespace.View) -> SubscriptionBase

    /// Logs a listed name that has no path and is therefore omitted, if it is one of the account's own names.
    mutating func reportOmitted(_ name: ByteBuffer, from account: AccountID)

    /// The mailbox that the client has selected.
    var selected: SelectedMailbox? { get set }

    /// The refusal of the server whose completion is being handled.
    var serverRefusal: ServerRefusal? { get }

    /// The user's rights on an account, by the snapshot in force.
    mutating func access(to account: AccountID) -> AccountAccess

    /// Whether a folder exists for the user; nil if its server must list its folders first.
    mutating func exists(
        _ folder: FolderPath,
        as existence: FolderExistence,
        in account: AccountID
    ) -> Bool?

    /// Sends LIST to an idle server, to learn its folders.
    ///
    /// - Returns: false if this LIST has already failed during the current command.
    mutating func requestFolders(of account: AccountID) -> Bool

    /// Writes the audit record of what was read in the mailbox that is being left.
    mutating func auditReadingEnded()
}

/// How a folder must occur in the server's list to exist.
enum FolderExistence {
    /// As a listed mailbox.
    case listed
    /// As a mailbox or as a parent of one: a folder may be created below it.
    case parent
}

extension CommandContext {
    /// Sends octets to an account's server.
    mutating func send(_ octets: ByteBuffer, to account: AccountID) {
        self.perform(.toUpstream(account, octets))
    }

    /// Sends a whole command without waiting for continuation requests.
    mutating func send(_ encoder: CommandEncoder, to account: AccountID) {
        var encoder = encoder
        for segment in encoder.finish() { self.send(segment, to: account) }
    }

    /// Returns an encoder for the next command to an account's server. The command's tag counts as in flight at once.
    mutating func encoder(for account: AccountID) -> CommandEncoder {
        guard let upstream = self.upstream(of: account) else {
            return CommandEncoder(tag: ByteBuffer(), literals: .synchronizing)
        }
        let tag = upstream.tags.next()
        upstream.inFlight = tag
        return CommandEncoder(tag: tag, literals: upstream.profile.literals)
    }

    // MARK: - Rights

    /// The rights in one folder, by the snapshot in force. Do not store the result while a server works: the rights
    /// may have changed when the server answers.
    mutating func rights(in folder: FolderPath, of account: AccountID) -> Rights {
        self.access(to: account).rights(in: folder)
    }

    /// Whether the user may see and read a folder (`l` and `r`).
    mutating func mayRead(_ folder: FolderPath, of account: AccountID) -> Bool {
        self.rights(in: folder, of: account).contains(.view)
    }

    /// Whether the user may create a folder: the right `k` counts in its parent (RFC 4314 §4), or at the top level in
    /// the whole account.
    mutating func mayCreate(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        guard let parent = folder.parent else {
            return access.coversAccount.contains(.createMailbox)
        }
        return access.rights(in: parent).contains(.createMailbox)
    }

    // MARK: - Refusals

    /// The client's tagged response for a refusal by a server. Only the owner gets the server's text, because it may
    /// name folders that must stay hidden from other users.
    func refusal(_ condition: Condition, code: ResponseCode?) -> ReplyText {
        if case .nonExistent? = code { return .noSuchMailbox }
        guard condition != .bad else { return .badForServer }
        let shown = self.serverRefusal?.shown(with: code) ?? code?.forClient
        guard let words = self.serverRefusal?.words else { return .refusedByServer(shown) }
        return .refusedWithText(shown, words)
    }

    func refusal(_ completion: Completion) -> ReplyText {
        self.refusal(completion.condition, code: completion.code)
    }

    /// The refusal if the target mailbox of APPEND, COPY or MOVE does not exist: TRYCREATE if the user may create it
    /// (RFC 9051 §6.3.12).
    mutating func missingTarget(_ folder: FolderPath, in account: AccountID) -> ReplyText {
        self.mayCreate(folder, in: account) ? .tryCreate : .noSuchMailbox
    }
}
