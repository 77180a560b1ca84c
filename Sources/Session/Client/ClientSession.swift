package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// One client's connection: octets and events in, actions out.
///
/// A command is read, checked against the table and the permissions in force, and then answered
/// here, forwarded to one account's server, or carried out on several. One command runs at a time;
/// what the client sends behind it waits, so that order is kept whichever server answers.
///
/// The machine is split by what runs: login, selection, forwarding, listing, appending, moving
/// between accounts, idling each have a file, and ``Running`` names them.
package struct ClientSession {
    /// Octets of commands that wait while one runs; beyond it the client is not read. The command that is
    /// read while none runs has the reader's own bounds.
    package static let maximumWaitingOctets = 64 * 1_024
    /// Lines that do not parse before the connection ends: a client in step sends none.
    static let maximumSyntaxErrors = 10
    /// Octets of all ID commands before login: one of the largest (RFC 2971 §3.3).
    static let maximumIdentificationOctets =
        CommandReader.Limits.identification.maximumCommandOctets
    /// Commands over a limit after login, each of which is read away: a client that does not learn ends here.
    static let maximumOversizedCommands = 100

    /// What the session is busy with.
    enum Running {
        case nothing
        case authenticating(tag: ByteBuffer)
        case awaitingSASLResponse(tag: ByteBuffer)
        case negotiatingTLS
        case discoveringCapabilities(tag: ByteBuffer, waitingFor: Set<AccountID>)
        case preparing(TaggedCommand, AccountID)
        case forwarding(Forwarding)
        case selecting(Selecting)
        case listing(Listing)
        case appending(Appending)
        case transferring(Transferring)
        case idling(Idling)
        case subscribing(TaggedCommand)
        case changingACL(TaggedCommand)
        case notifying(Notifying)
        case ended
    }

    // MARK: What is known

    var snapshot: Snapshot
    var now: Moment
    var hasTLS: Bool
    var user: UserID? { self.clientLogin.user }
    /// Whether a folder of another account is subscribed until its user unsubscribes.
    let subscribesShared: Bool
    /// The account that `LOGIN/ACCOUNT` named.
    var onlyAccount: AccountID?
    var namespace = Namespace(views: []) { didSet { self.offeredCapabilities = nil } }
    var accesses: [AccountID: AccountAccess] = [:]
    var profiles: [AccountID: UpstreamProfile] = [:] { didSet { self.offeredCapabilities = nil } }
    /// What is shown to the client, once it was worked out.
    var offeredCapabilities: [String]?
    /// Whether one of the connections is to a server that is another one now.
    var hasOutdatedServer = false
    var enabled: Set<String> = []
    var selected: SelectedMailbox?
    var isEmptyInboxSelected = false
    var watching: Watching? { didSet { self.watchVersion += 1 } }
    /// Whether the client has given a NOTIFY.
    var hasUsedNotify = false
    /// Whether the time for the next look at accounts without NOTIFY is set.
    var isPollScheduled = false
    /// Counts what may change the mailboxes that servers watch.
    var watchVersion = 0

    // MARK: What is going on

    var reader: CommandReader
    var running = Running.nothing
    var isReadingClient = false
    /// Whether the session has yielded the event loop: no client or server is read until `resumeReading`.
    var hasYielded = false
    /// Pieces of responses that were dealt with in this turn.
    var pieces = 0
    /// Commands, or pieces of one, in a turn: LIST may look at hundreds of accounts.
    static let commandsInTurn = 16
    var upstreams: [AccountID: Upstream] = [:]
    var actions: [Action] = []
    /// Whether the server of the selected mailbox told of a removed message while the command waited: the
    /// message numbers in it may name other messages now.
    var hasExpungedMeanwhile = false
    /// Counts the client's commands: what a server told during this one need not be asked again.
    var commandNumber: UInt64 = 0
    /// Whether the command that runs was given to its server before, whose session ended.
    var isRepeating = false
    /// The refusal of a server whose command is being answered.
    var serverRefusal: ServerRefusal?
    var syntaxErrors = 0
    var identificationOctets = 0
    var oversizedCommands = 0
    var clientLogin = ClientLogin()
    /// The account whose response has passed to the client in part; everything else waits.
    var passing: AccountID?
    var held: [ByteBuffer] = []
    /// The account that is out of sight, and whose response has still to pass to its end.
    var revoking: AccountID?
    /// What the audit log will have of the command that runs.
    var auditing: Auditing?
    var reading: Reading?

    /// - Parameters:
    ///   - hasTLS: whether TLS is up from the first octet.
    ///   - subscribesShared: whether a folder of another account is subscribed until its user unsubscribes.
    package init(
        snapshot: Snapshot,
        hasTLS: Bool,
        subscribesShared: Bool = true,
        at now: Moment
    ) {
        self.snapshot = snapshot
        self.subscribesShared = subscribesShared
        self.now = now
        self.hasTLS = hasTLS
        self.reader = CommandReader(limits: .beforeLogin)
    }

    /// Whether the client's next octets are wanted now.
    package var wantsClientOctets: Bool {
        switch self.running {
        case .ended:
            false
        case .negotiatingTLS:
            true
        default:
            // While the session is ready, what the reader holds is one command that is not whole.
            !self.hasYielded
                && (self.isReadyForClient
                    || self.reader.bufferedOctets < Self.maximumWaitingOctets)
        }
    }

    /// The user who is logged in.
    package var authenticatedUser: UserID? { self.user }

    /// The mailbox that is open.
    package var openPlace: AuditEvent.Place? {
        self.selected.map { AuditEvent.Place(account: $0.account, folder: $0.folder) }
    }

    // MARK: - Out

    /// Sends octets of the gateway's own to the client, never inside a server's response.
    mutating func emit(_ octets: ByteBuffer) {
        guard self.passing == nil else { return self.held.append(octets) }
        self.actions.sendToClient(octets)
    }

    /// Sends the tagged answer of a command; untagged `BAD` where there is no tag to repeat.
    mutating func answer(_ tag: ByteBuffer?, text: ReplyText) {
        if case .ended = self.running { return }
        if self.auditing != nil { self.auditAnswered(text) }
        guard let tag = tag else { return self.emit(Reply.untagged(text)) }
        self.emit(Reply.tagged(tag, text: text))
    }

    /// The command that ran is answered; the next one may run.
    mutating func finish(_ tag: ByteBuffer, text: ReplyText) {
        self.answer(tag, text: text)
        if case .ended = self.running { return }
        self.running = .nothing
        self.isRepeating = false
    }

    /// Ends the client's connection, and every upstream one with it.
    mutating func end(_ text: ReplyText?) {
        if case .ended = self.running { return }
        if let text = text, self.passing == nil { self.emit(Reply.untagged(text)) }
        self.auditEnded()
        if case .transferring(let transferring) = self.running { transferring.abandon(in: &self) }
        self.running = .ended
        for account in self.upstreams.keys { self.actions.append(.closeUpstream(account)) }
        self.upstreams = [:]
        self.selected = nil
        self.actions.append(.closeClient)
    }

    /// What is judged next is judged as of now.
    package mutating func timePassed(at now: Moment) {
        self.now = now
    }

    /// The client took too long to log in, or was silent too long after that (RFC 9051 §5.4).
    package mutating func idleTimeoutPassed() {
        self.end(.bye(self.user == nil ? .loginTooLong : .idleTooLong))
    }

    /// The gateway stops.
    package mutating func shutdownRequested() {
        self.end(.bye(.shuttingDown))
    }

    /// An administrator ends the session.
    package mutating func endRequested() {
        self.end(.bye(.endedByAdministrator))
    }

    /// The client is gone: a message that was arriving is cut, and is not stored.
    package mutating func clientClosed() {
        self.end(nil)
    }
}

extension ReplyText {
    /// The answer to a command that cannot be read.
    init(_ error: SyntaxError) {
        self =
            if error.reason == .unknownCommand {
                .badUnknownCommand
            } else {
                error.reason.isCount ? .tooManyParts : .badSyntax
            }
    }
}
