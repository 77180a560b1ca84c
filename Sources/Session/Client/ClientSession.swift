package import Access
import IMAP
import SASL

import struct NIOCore.ByteBuffer

/// The state machine of one client's IMAP session: octets and events in, ``Action`` values out. It
/// performs no I/O.
///
/// A command is read, checked against the command table and the permissions in force, and then
/// answered here, forwarded to one account's server, or executed on several servers. One command
/// runs at a time. Pipelined commands wait, so answers keep their order whichever server sends
/// them.
///
/// The machine is split by what runs: login, selection, forwarding, listing, appending, transfers
/// between accounts and idling each have a file, and ``Running`` names them.
package struct ClientSession {
    /// Octets of pipelined commands that wait while one runs. Above it, the client is not read
    /// (back-pressure). A command that is read while none runs has the limits of the reader.
    package static let maximumWaitingOctets = 64 * 1_024
    /// Commands that do not parse before the connection ends. A client in step sends none.
    static let maximumSyntaxErrors = 10
    /// Octets of all ID commands before login: one ID of the maximum size (RFC 2971 §3.3).
    static let maximumIdentificationOctets =
        CommandReader.Limits.identification.maximumCommandOctets
    /// Commands above a size limit after login. Each is discarded while it arrives; a client that
    /// continues to send them is disconnected.
    static let maximumOversizedCommands = 100

    /// What the session is doing.
    enum Running {
        /// No command runs.
        case nothing
        /// LOGIN or AUTHENTICATE waits for the check of the password or token.
        /// - Parameter mechanism: the mechanism of a token; nil for a password.
        case authenticating(tag: ByteBuffer, mechanism: SASLMechanism?)
        /// The next line of the client is a SASL response.
        case awaitingSASLResponse(tag: ByteBuffer, SASLExchange)
        /// STARTTLS was answered; the handshake is not complete.
        case negotiatingTLS
        /// A successful login waits for these servers' capabilities.
        case discoveringCapabilities(tag: ByteBuffer, waitingFor: Set<AccountID>)
        /// A command waits until an account's server is ready for it.
        case preparing(TaggedCommand, AccountID)
        case forwarding(Forwarding)
        case selecting(Selecting)
        case listing(Listing)
        case appending(Appending)
        case transferring(Transferring)
        case idling(Idling)
        /// A subscription choice is being stored.
        case subscribing(TaggedCommand)
        /// A change of grants is being stored.
        case changingACL(TaggedCommand)
        case notifying(Notifying)
        /// The connection is closed, or will be after the last octets.
        case ended
    }

    // MARK: Permissions and state

    /// The permissions in force.
    var snapshot: Snapshot
    /// The time of the event that is processed.
    var now: Moment
    /// Whether the client's connection uses TLS.
    var hasTLS: Bool
    /// The user who is logged in.
    var user: UserID? { self.clientLogin.user }
    /// Whether folders of other accounts count as subscribed until the user unsubscribes.
    let subscribesShared: Bool
    /// The account that `LOGIN/ACCOUNT` named.
    var onlyAccount: AccountID?
    /// The accounts that the user sees, and their names.
    var namespace = Namespace(views: []) { didSet { self.offeredCapabilities = nil } }
    /// The user's rights on accounts, cached for the present snapshot.
    var accesses: [AccountID: AccountAccess] = [:]
    /// Profiles of servers, as far as they are known.
    var profiles: [AccountID: UpstreamProfile] = [:] { didSet { self.offeredCapabilities = nil } }
    /// The announced capabilities, cached.
    var offeredCapabilities: [String]?
    /// Whether one of the connections leads to a server that was replaced.
    var hasOutdatedServer = false
    /// Capabilities that the client has enabled (RFC 5161).
    var enabled: Set<String> = []
    /// The selected mailbox; nil for the empty INBOX.
    var selected: SelectedMailbox?
    /// Whether the empty INBOX is selected.
    var isEmptyInboxSelected = false
    /// What the client watches by NOTIFY.
    var watching: Watching? { didSet { self.watchVersion += 1 } }
    /// Whether the client has sent a NOTIFY.
    var hasUsedNotify = false
    /// Whether the poll timer runs.
    var isPollScheduled = false
    /// Incremented by each event that may change what servers have to watch.
    var watchVersion = 0

    // MARK: Progress

    /// The client's octets that are not processed yet.
    var reader: CommandReader
    /// The running command.
    var running = Running.nothing
    /// Whether `readClient` is on the stack.
    var isReadingClient = false
    /// Whether the session has yielded the event loop. Until `resumeReading`, neither the client
    /// nor a server is read.
    var hasYielded = false
    /// Pieces of responses that were processed in this turn.
    var pieces = 0
    /// Events of the reader (commands, or pieces of one) in a turn. One LIST may cover hundreds of
    /// accounts.
    static let commandsInTurn = 16
    /// Connections to servers, by account.
    var upstreams: AccountTable<Upstream> = [:]
    /// Actions that were not taken yet.
    var actions: [Action] = []
    /// Whether the server of the selected mailbox reported a removed message while the command
    /// waited. Message numbers in the command may mean other messages now.
    var hasExpungedMeanwhile = false
    /// The number of the client's command. What a server reported during this command need not be
    /// requested again.
    var commandNumber: UInt64 = 0
    /// Whether the running command was sent before on a connection that has ended.
    var isRepeating = false
    /// The refusal of a server, while the client's command is answered with it.
    var serverRefusal: ServerRefusal?
    /// Commands that did not parse; counted from the login.
    var syntaxErrors = 0
    /// Octets of ID commands before login.
    var identificationOctets = 0
    /// Commands above a size limit.
    var oversizedCommands = 0
    /// The login of this connection.
    var clientLogin: ClientLogin
    /// The account whose response has been passed to the client in part; everything else waits.
    var passing: AccountID?
    /// Octets for the client that wait for the end of that response.
    var held: [ByteBuffer] = []
    /// The account that the user has lost, and whose response must reach its end first.
    var revoking: AccountID?
    /// The audit event of the running command.
    var auditing: Auditing?
    /// The count of messages read in the open shared mailbox.
    var reading: Reading?

    /// Creates the session of a connection that is not open yet.
    ///
    /// - Parameters:
    ///   - hasTLS: whether TLS is established before the first octet.
    ///   - subscribesShared: whether folders of other accounts count as subscribed until the user
    ///     unsubscribes.
    ///   - methods: what the client may log in with.
    package init(
        snapshot: Snapshot,
        hasTLS: Bool,
        subscribesShared: Bool = true,
        methods: LoginMethods = LoginMethods(),
        at now: Moment
    ) {
        self.clientLogin = ClientLogin(methods: methods)
        self.snapshot = snapshot
        self.subscribesShared = subscribesShared
        self.now = now
        self.hasTLS = hasTLS
        self.reader = CommandReader(limits: methods.readerLimits)
    }

    /// Whether the session accepts octets of the client now (back-pressure).
    package var wantsClientOctets: Bool {
        switch self.running {
        case .ended:
            false
        case .negotiatingTLS:
            true
        default:
            // While the session is ready, the reader holds at most one incomplete command, which
            // has its own limits.
            !self.hasYielded
                && (self.isReadyForClient
                    || self.reader.bufferedOctets < Self.maximumWaitingOctets)
        }
    }

    /// The user who is logged in.
    package var authenticatedUser: UserID? { self.user }

    /// The selected mailbox.
    package var openMailbox: AuditEvent.MailboxReference? {
        self.selected.map { AuditEvent.MailboxReference(account: $0.account, folder: $0.folder) }
    }

    // MARK: - Output

    /// Writes octets of the gateway to the client. They wait while a server's response is being
    /// passed on.
    mutating func emit(_ octets: ByteBuffer) {
        guard self.passing == nil else { return self.held.append(octets) }
        self.actions.sendToClient(octets)
    }

    /// Writes the tagged answer of a command; an untagged one if its tag could not be read.
    mutating func answer(_ tag: ByteBuffer?, text: ReplyText) {
        if case .ended = self.running { return }
        if self.auditing != nil { self.auditAnswered(text) }
        guard let tag = tag else { return self.emit(Reply.untagged(text)) }
        self.emit(Reply.tagged(tag, text: text))
    }

    /// Answers the running command. The next one may run.
    mutating func finish(_ tag: ByteBuffer, text: ReplyText) {
        self.answer(tag, text: text)
        if case .ended = self.running { return }
        self.running = .nothing
        self.isRepeating = false
    }

    /// Closes the client's connection and every connection to a server.
    ///
    /// - Parameter text: the text of an untagged BYE; nil without one.
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

    /// Sets the time by which the next decisions are made.
    package mutating func timePassed(at now: Moment) {
        self.now = now
    }

    /// The client took too long to log in, or was silent for too long after login (RFC 9051 §5.4).
    package mutating func idleTimeoutPassed() {
        self.end(.bye(self.user == nil ? .loginTooLong : .idleTooLong))
    }

    /// The gateway shuts down.
    package mutating func shutdownRequested() {
        self.end(.bye(.shuttingDown))
    }

    /// The credential of the login has expired, or was revoked.
    package mutating func loginEnded() {
        self.end(.bye(.loginEnded))
    }

    /// An administrator ends the session.
    package mutating func endRequested() {
        self.end(.bye(.endedByAdministrator))
    }

    /// The client's connection was closed. A message that was arriving is incomplete and is not
    /// stored.
    package mutating func clientClosed() {
        self.end(nil)
    }
}

extension ReplyText {
    /// The answer to a command that cannot be parsed.
    init(_ error: SyntaxError) {
        self =
            if error.reason == .unknownCommand {
                .badUnknownCommand
            } else {
                error.reason.isCount ? .tooManyParts : .badSyntax
            }
    }
}
