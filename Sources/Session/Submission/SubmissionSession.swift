package import Access
import SASL
import SMTP

import struct NIOCore.ByteBuffer

/// The state machine of one client connection for submission (RFC 6409): it takes octets and events, and returns
/// actions.
///
/// It checks the permission for the envelope and the whole header before it sends the first octet of a message to a
/// server, and again before the final dot. One command runs at a time; pipelined commands wait, except RCPT and DATA
/// if the server offers PIPELINING.
package struct SubmissionSession {
    /// The settings of the administrator.
    package struct Settings: Sendable {
        /// The largest message in octets.
        package var maximumMessageOctets: UInt64
        /// The gateway's name in EHLO.
        package var name: String
        /// What a client may log in with.
        package var methods: LoginMethods

        package init(
            maximumMessageOctets: UInt64,
            name: String,
            methods: LoginMethods = LoginMethods()
        ) {
            self.maximumMessageOctets = maximumMessageOctets
            self.name = name
            self.methods = methods
        }
    }

    /// Octets that are buffered while a command runs. Beyond it the gateway stops reading from the client.
    package static let maximumWaitingOctets = 64 * 1_024
    /// Erroneous commands until the connection ends. A correct client sends none.
    private static let maximumErrors = 10

    /// The operation that the session waits for.
    enum Running {
        /// The next command is awaited.
        case nothing
        case negotiatingTLS
        /// The client's answer to a login challenge is awaited.
        case awaitingLogin(SASLExchange)
        /// The password or token is being checked.
        /// - Parameter mechanism: the mechanism of a token; nil for a password.
        case authenticating(mechanism: SASLMechanism?)
        /// The connection, or the server's replies to commands of the transaction, are awaited.
        case awaiting(PendingReply)
        /// The client sends a message, or the server has not yet answered it.
        case receiving(Receiving)
        case ended
    }

    let settings: Settings
    /// Shared by all sessions.
    let counter: SendingCounter
    /// Shared by all sessions.
    let copySpace: SentCopySpace
    /// The permissions in force.
    var snapshot: Snapshot
    /// The time of the current event.
    var now: Moment
    var hasTLS: Bool
    /// Whether the client has sent EHLO or HELO since the connection or the TLS handshake.
    var hasGreeted = false
    /// The user who is logged in.
    var user: UserID? { self.clientLogin.user }
    var running = Running.nothing
    /// Whether ``readClient()`` is running.
    var isReadingClient = false
    /// Whether the session has yielded the event loop: the client is not read until `resumeReading`.
    var hasYielded = false
    var transaction: Transaction?
    /// The number of transactions that have begun.
    var transactions: UInt64 = 0
    /// Octets of message data that the client has sent in the current or last transaction.
    package var messageOctets: UInt64 = 0
    /// The reply to further commands of a failed transaction, until another transaction begins.
    var brokenReply: SubmissionReply?
    var upstream: SubmissionUpstream?
    /// Commands of the transaction that the server has not answered.
    var pipelined = PipelinedCommands()
    /// Whether DATA is sent ahead: that has cost no connection to a server in this session.
    var sendsDataAhead = true
    /// Octets of the client that are not yet executed.
    var input = ByteBuffer()
    var actions: [SubmissionAction] = []
    /// Erroneous commands since the login or the TLS handshake.
    var errors = 0
    /// Octets that were discarded of the current line, because the line is too long.
    var discardedOctets = 0
    var clientLogin: ClientLogin
    /// Whether the session ends once the server has answered the message whose end was sent. The session waits for
    /// that reply, because the reply decides whether the copy is stored.
    var endsAfterVerdict = false
    /// Whether the session ends after the current transaction, because the gateway stops.
    var isDraining = false

    /// - Parameter hasTLS: whether the connection uses implicit TLS.
    package init(
        settings: Settings,
        counter: SendingCounter,
        copySpace: SentCopySpace = SentCopySpace(),
        snapshot: Snapshot,
        hasTLS: Bool,
        at now: Moment
    ) {
        self.settings = settings
        self.clientLogin = ClientLogin(methods: settings.methods)
        self.counter = counter
        self.copySpace = copySpace
        self.snapshot = snapshot
        self.hasTLS = hasTLS
        self.now = now
    }

    package var authenticatedUser: UserID? { self.user }

    /// Whether the session needs a reply of the server, or an operation on the copy, before it reads on.
    package var awaitsUpstream: Bool {
        switch self.running {
        case .awaiting: true
        case .receiving(let receiving): receiving.awaitsUpstream
        default: false
        }
    }

    /// Whether the gateway should read from the client now (back-pressure).
    package var wantsClientOctets: Bool {
        switch self.running {
        case .ended: false
        case .negotiatingTLS: true
        default: !self.hasYielded && self.input.readableBytes < Self.maximumWaitingOctets
        }
    }

    /// Whether the client's octets are streamed to the server.
    package var isStreaming: Bool {
        guard case .receiving(let receiving) = self.running else { return false }
        return receiving.isStreaming
    }

    /// Moves the pending actions to the end of an array.
    package mutating func takeActions(into taken: inout [SubmissionAction]) {
        self.actions.take(into: &taken)
    }

    // MARK: - Events from the client

    /// Sets the time that later permission checks use.
    package mutating func timePassed(at now: Moment) {
        self.now = now
    }

    /// The login timeout has passed, or after the login the idle timeout (RFC 5321 §4.5.3.2.7).
    package mutating func idleTimeoutPassed() {
        self.end(self.user == nil ? .loginTooLong : .idleTooLong)
    }

    /// The gateway stops: the current transaction may finish, and no other begins.
    package mutating func shutdownRequested() {
        self.isDraining = true
        if !self.hasTransaction { self.end(.closing) }
    }

    /// The credential of the login has expired, or was revoked.
    package mutating func loginEnded() {
        self.endAfterVerdict(.loginEnded)
    }

    /// An administrator ends the session.
    package mutating func endRequested() {
        self.endAfterVerdict(.endedByAdministrator)
    }

    /// Whether a transaction is in progress.
    package var hasTransaction: Bool {
        switch self.running {
        case .receiving, .awaiting: true
        case .nothing: self.transaction != nil
        case .negotiatingTLS, .awaitingLogin, .authenticating, .ended: false
        }
    }

    /// The number of the current transaction, from 1; nil if there is none.
    package var transactionNumber: UInt64? { self.hasTransaction ? self.transactions : nil }

    /// The client closed the connection. A message that is incomplete is not sent.
    package mutating func clientClosed() {
        self.endAfterVerdict(nil)
    }

    /// Ends the session now, or after the server's answer if the end of a message was already sent.
    private mutating func endAfterVerdict(_ last: SubmissionReply?) {
        if case .receiving(let receiving) = self.running, receiving.isPastEnd {
            self.endsAfterVerdict = true
        } else {
            self.end(last)
        }
    }

    // MARK: - Replies to the client

    /// Sends a reply to the client, unless the session has ended.
    mutating func reply(_ reply: SubmissionReply) {
        if case .ended = self.running { return }
        self.actions.sendToClient(reply.encoded)
    }

    /// Refuses an erroneous command and counts it. Too many of them end the connection.
    mutating func refuse(_ reply: SubmissionReply) {
        self.reply(reply)
        self.errors += 1
        if self.errors >= Self.maximumErrors { self.end(.tooManyErrors) }
    }

    /// Ends the client's connection and the server's. A message whose end was sent counts as sent but unconfirmed.
    mutating func end(_ last: SubmissionReply?) {
        if case .ended = self.running { return }
        if let last { self.reply(last) }
        self.dropUpstream()
        if case .receiving(let receiving) = self.running {
            if case .verdict = receiving.stage {
                self.auditSent(self.transaction, isConfirmed: false)
            }
            self.dropCopy(receiving)
        }
        if let chunks = self.transaction?.chunks { self.dropCopy(chunks) }
        self.transaction = nil
        self.pipelined = PipelinedCommands()
        self.running = .ended
        self.input = ByteBuffer()
        self.actions.append(.closeClient)
    }

    // MARK: - The permissions change

    /// The store published another snapshot, in which no decision about this user differs.
    package mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
    }

    /// The store published a new snapshot. Ends the session of a disabled user, and a transaction that is no longer
    /// permitted. If the end of a message was sent, the session of the disabled user ends after the server's answer.
    package mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
        guard let user = self.user else { return }
        guard snapshot.isEnabled(user) else { return self.endAfterVerdict(.closing) }
        self.checkTransaction()
        self.readClient()
    }
}

extension SubmissionReply {
    /// The reply to a line that does not parse.
    init(_ error: SubmissionError) {
        self =
            switch error {
            case .unknownCommand: .unknownCommand
            case .malformedArguments, .malformedParameter, .malformedChunkSize: .malformedArguments
            case .malformedPath: .malformedPath
            case .unknownParameter: .unknownParameter
            case .lineTooLong, .endlessLine: .lineTooLong
            case .bareLineEnd: .bareLineEnd
            case .malformedReply: .unavailable
            }
    }
}
