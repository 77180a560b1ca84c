import Access
import NIOCore
import Session
import Store

/// A submitting client's end of a session, with the connection to the server that a message goes to.
final class SubmissionClientHandler: ClientConnection, ClientHandler {
    /// Silence of a client that is logged in; RFC 5321 §4.5.3.2.7 asks for five minutes at least.
    private static let idleTime = TimeAmount.minutes(5)
    private static let checkInterval = TimeAmount.seconds(10)

    static var service: CredentialService { .submission }

    var session: SubmissionSession
    var spare: [SubmissionAction] = []
    var upstream: SubmissionConnection?
    var copy: SentCopy?
    var transactionClock: TransactionClock

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

    /// What servers can do matters only when a message is sent.
    var knownProfiles: [AccountID: UpstreamProfile?] { [:] }

    func perform(_ action: SubmissionAction) {
        switch action {
        case .toClient(let octets): self.write(octets)
        case .toUpstream(let octets):
            self.upstream?.write(octets)
            self.flushLater()
        case .openUpstream(let account): self.openUpstream(account)
        case .closeUpstream:
            self.upstream?.close()
            self.upstream = nil
        case .keepCopy(let octets): self.keepCopy(octets)
        case .syncCopy(let number): self.syncCopy(number)
        case .fileCopy(let number, let accounts, let own, let messageID):
            self.fileCopy(number, for: accounts, own: own, messageID: messageID)
        case .dropCopy:
            self.copy?.drop()
            self.copy = nil
        case .audit(let event): self.trail.record(event, snapshot: self.permissions.access)
        case .authenticate(let credentials): self.authenticate(credentials)
        case .startTLS: self.startTLS()
        case .readLater: self.readOnLater()
        case .closeClient: self.closeClient()
        }
    }

    // MARK: - Time

    /// Tells the clocks how far the session is.
    func actionsPerformed() {
        self.transactionClock.progressed(
            message: self.session.transactionNumber,
            octets: self.session.messageOctets,
            awaitsServer: self.session.awaitsUpstream,
            at: self.eventLoop.now
        )
        self.clock.limit = self.transactionClock.messageEnd
        self.clock.isSuspended = self.transactionClock.awaitsServer
    }

    /// The server is looked at, too.
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

    func cancelTimers() {}
}
