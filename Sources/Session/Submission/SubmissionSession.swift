package import Access
import SMTP

import struct NIOCore.ByteBuffer

/// One client's connection for submission: octets and events in, actions out (RFC 6409).
///
/// A message's envelope and its whole header are judged before its first octet goes to a server,
/// and judged again before the dot that ends it. One command runs at a time; what the client sends
/// behind it waits.
package struct SubmissionSession {
    /// What an administrator may set.
    package struct Settings: Sendable {
        /// Octets of a message.
        package var maximumMessageOctets: UInt64
        /// What the gateway calls itself towards servers.
        package var name: String

        package init(maximumMessageOctets: UInt64, name: String) {
            self.maximumMessageOctets = maximumMessageOctets
            self.name = name
        }
    }

    /// Octets that wait while a command runs; beyond it the client is not read.
    package static let maximumWaitingOctets = 64 * 1_024
    /// Commands that make no sense before the connection ends: a client in step sends none.
    private static let maximumErrors = 10

    /// What the session is busy with.
    enum Running {
        case nothing
        case negotiatingTLS
        case awaitingLogin(SASLExchange)
        case authenticating
        /// The server's answer to a command of the transaction.
        case awaiting(PendingReply)
        case receiving(Receiving)
        case ended
    }

    let settings: Settings
    let counter: SendingCounter
    let copySpace: SentCopySpace
    var snapshot: Snapshot
    var now: Moment
    var hasTLS: Bool
    var hasGreeted = false
    var user: UserID? { self.clientLogin.user }
    var running = Running.nothing
    var isReadingClient = false
    /// Whether the session has yielded the event loop: the client is not read until `resumeReading`.
    var hasYielded = false
    var transaction: Transaction?
    /// How many have begun.
    var transactions: UInt64 = 0
    /// What the client has sent of the message of the last of them.
    package var messageOctets: UInt64 = 0
    /// The answer to what follows in a transaction that broke, until another begins.
    var brokenReply: SubmissionReply?
    var upstream: SubmissionUpstream?
    var input = ByteBuffer()
    var actions: [SubmissionAction] = []
    var errors = 0
    /// Octets of a line that were read away because it is too long.
    var discardedOctets = 0
    var clientLogin = ClientLogin()
    /// Whether the session ends once the server has answered the message whose end was sent: what
    /// becomes of it has to be known, for its copy and for the client.
    var endsAfterVerdict = false
    /// Whether the gateway stops as soon as the transaction is over.
    var isDraining = false

    /// - Parameter hasTLS: whether TLS is up from the first octet.
    package init(
        settings: Settings,
        counter: SendingCounter,
        copySpace: SentCopySpace = SentCopySpace(),
        snapshot: Snapshot,
        hasTLS: Bool,
        at now: Moment
    ) {
        self.settings = settings
        self.counter = counter
        self.copySpace = copySpace
        self.snapshot = snapshot
        self.hasTLS = hasTLS
        self.now = now
    }

    package var authenticatedUser: UserID? { self.user }

    /// Whether a server has to answer before the client is heard again.
    package var awaitsUpstream: Bool {
        switch self.running {
        case .awaiting: true
        case .receiving(let receiving): receiving.awaitsUpstream
        default: false
        }
    }

    /// Whether the client's next octets are wanted now.
    package var wantsClientOctets: Bool {
        switch self.running {
        case .ended: false
        case .negotiatingTLS: true
        default: !self.hasYielded && self.input.readableBytes < Self.maximumWaitingOctets
        }
    }

    /// Whether what the client sends goes on to the server at once.
    package var isStreaming: Bool {
        guard case .receiving(let receiving) = self.running else { return false }
        return receiving.isStreaming
    }

    package mutating func takeActions(into taken: inout [SubmissionAction]) {
        self.actions.take(into: &taken)
    }

    // MARK: - Events from the client

    /// What is judged next is judged as of now.
    package mutating func timePassed(at now: Moment) {
        self.now = now
    }

    /// The client took too long to log in, or was silent or slow too long after that (RFC 5321 §4.5.3.2.7).
    package mutating func idleTimeoutPassed() {
        self.end(self.user == nil ? .loginTooLong : .idleTooLong)
    }

    /// The gateway stops: a message that has begun may be ended, and no other begins.
    package mutating func shutdownRequested() {
        self.isDraining = true
        if !self.hasTransaction { self.end(.closing) }
    }

    /// An administrator ends the session.
    package mutating func endRequested() {
        self.endAfterVerdict(.endedByAdministrator)
    }

    /// Whether a transaction has begun that is not over.
    package var hasTransaction: Bool {
        switch self.running {
        case .receiving, .awaiting: true
        case .nothing: self.transaction != nil
        case .negotiatingTLS, .awaitingLogin, .authenticating, .ended: false
        }
    }

    /// Counts the session's transactions; nil while there is none.
    package var transactionNumber: UInt64? { self.hasTransaction ? self.transactions : nil }

    /// The client is gone: a message that was arriving is cut, and is not sent.
    package mutating func clientClosed() {
        self.endAfterVerdict(nil)
    }

    private mutating func endAfterVerdict(_ last: SubmissionReply?) {
        if case .receiving(let receiving) = self.running, receiving.isPastEnd {
            self.endsAfterVerdict = true
        } else {
            self.end(last)
        }
    }

    // MARK: - Out

    mutating func reply(_ reply: SubmissionReply) {
        if case .ended = self.running { return }
        self.actions.sendToClient(reply.encoded)
    }

    /// Refuses a command that a client in step would not have sent, and counts it.
    mutating func refuse(_ reply: SubmissionReply) {
        self.reply(reply)
        self.errors += 1
        if self.errors >= Self.maximumErrors { self.end(.tooManyErrors) }
    }

    /// Ends the client's connection, and the server's with it.
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
        self.running = .ended
        self.input = ByteBuffer()
        self.actions.append(.closeClient)
    }

    // MARK: - The permissions change

    /// The store published another snapshot. What is no longer allowed stops at its next step.
    package mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
        guard let user = self.user else { return }
        guard snapshot.isEnabled(user) else { return self.end(.closing) }
        self.checkTransaction()
        self.readClient()
    }
}

extension SubmissionReply {
    /// What a line that does not parse is answered with.
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
