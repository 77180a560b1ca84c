import Access
import NIOCore
import Session
import Store

/// The client's side of a submission session (RFC 6409), with the connection to the server of the
/// present message.
final class SubmissionClientHandler: ClientConnection, ClientHandler {
    /// How long a client may be silent after the login; RFC 5321 §4.5.3.2.7 asks for at least five
    /// minutes.
    private static let idleTime = TimeAmount.minutes(5)
    /// The longest time between two checks of the clocks.
    private static let checkInterval = TimeAmount.seconds(10)

    static var service: CredentialService { .submission }
    static var farewellWithoutAudit: String {
        "421 4.3.0 The audit log cannot be written; what became of this is not known\r\n"
    }

    /// The state machine of the submission session.
    var session: SubmissionSession
    var spare: [SubmissionAction] = []
    /// The connection to the present message's server; nil without one.
    var upstream: SubmissionConnection?
    /// The copy of the present message; nil without one.
    var copy: SentCopy?
    /// Measures the time of the message and the silence of its server.
    var transactionClock: TransactionClock

    /// Creates the session before the login, with the limits and permissions in force.
    init(
        gateway: GatewayContext,
        sessions: EventLoopSessions,
        security: Listener.Kind,
        address: SocketAddress?,
        eventLoop: any EventLoop
    ) {
        let permissions = gateway.permissions.current
        let limits = gateway.configuration.limits
        self.session = SubmissionSession(
            settings: gateway.submissionSettings,
            counter: gateway.sendingCounter,
            copySpace: gateway.sentCopies.space,
            snapshot: permissions.access,
            hasTLS: security.isImplicitTLS,
            at: .current
        )
        self.transactionClock = TransactionClock(
            messageTime: limits.messageTime,
            at: eventLoop.now
        )
        super.init(
            gateway: gateway,
            sessions: sessions,
            security: security,
            address: address,
            eventLoop: eventLoop,
            permissions: permissions,
            clock: SessionClock(
                beforeLogin: limits.loginTimeout,
                afterLogin: Self.idleTime,
                checkInterval: Self.checkInterval,
                at: eventLoop.now
            )
        )
    }

    /// Empty: the capabilities of a server matter only once a message is sent.
    func knownProfiles(of user: UserID) -> [AccountID: UpstreamProfile?] { [:] }

    /// One line for each action; the extensions do the work.
    func perform(_ action: SubmissionAction) {
        switch action {
        case .toClient(let octets): self.write(octets)
        case .toUpstream(let octets):
            self.upstream?.write(octets)
            self.flushLater(octets.readableBytes)
        case .openUpstream(let account): self.openUpstream(account)
        case .closeUpstream:
            self.upstream?.close()
            self.upstream = nil
        case .keepCopy(let octets): self.keepCopy(octets)
        case .syncCopy(let number, let accounts, let own, let messageID):
            self.syncCopy(number, for: accounts, own: own, messageID: messageID)
        case .fileCopy(let number): self.fileCopy(number)
        case .copyMissing(let accounts, let messageID):
            self.gateway.sentCopies.isMissing(accounts, messageID: messageID)
        case .dropCopy:
            if let copy = self.copy { self.gateway.sentCopies.drop(copy) }
            self.copy = nil
        case .audit(let event): self.audit(event)
        case .authenticate(let credentials): self.authenticate(credentials)
        case .startTLS: self.startTLS()
        case .readLater: self.readOnLater()
        case .closeClient: self.closeClient()
        }
    }

    // MARK: - Time

    /// Tells the clocks the progress of the message.
    func actionsPerformed() {
        self.transactionClock.progressed(
            message: self.session.read { $0.transactionNumber },
            octets: self.session.read { $0.messageOctets },
            awaitsServer: self.session.read { $0.awaitsUpstream },
            at: self.eventLoop.now
        )
        self.clock.limit = self.transactionClock.messageEnd
        self.clock.isSuspended = self.transactionClock.awaitsServer
    }

    /// Checks the client's silence, and the server's.
    func checkClock() -> Bool {
        let now = self.eventLoop.now
        guard !self.clock.isExpired(at: now) else { return false }
        if self.transactionClock.isServerExpired(at: now) {
            self.session.upstreamTimeoutPassed()
        } else if self.transactionClock.isServerUnused(at: now) {
            self.session.upstreamUnused()
        }
        return true
    }

    /// Does nothing: the clocks are checked by the client's timeout.
    func cancelTimers() {}
}
