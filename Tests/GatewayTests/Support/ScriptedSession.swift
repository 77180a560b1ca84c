import Access
import NIOCore
import Session
import Store

@testable import Gateway

/// A session that writes down what it is told, and asks for what a test gives it.
struct ScriptedSession: ClientSessionMachine {
    enum Action: ClientBound, Equatable {
        case toClient(ByteBuffer)
        case audit(AuditEvent)
        case authenticate(Credentials)
        case startTLS
        case readLater
        case closeClient

        var octetsToClient: ByteBuffer? {
            if case .toClient(let octets) = self { octets } else { nil }
        }
    }

    private(set) var events: [String] = []
    var actions: [Action] = []
    var authenticatedUser: UserID?
    var wantsClientOctets = true
    var hasTransaction = false
    var openMailbox: AuditEvent.MailboxReference?

    mutating func took(_ event: String) { self.events.append(event) }

    /// - Returns: the events since the last call.
    mutating func takeEvents() -> [String] {
        defer { self.events = [] }
        return self.events
    }

    mutating func opened() {
        self.took("opened")
        self.actions.append(.toClient(ByteBuffer(string: "hello\r\n")))
    }

    mutating func tlsEstablished() { self.took("TLS") }

    /// `CLOSE` ends the connection; every other line comes back.
    mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment) {
        self.took(String(buffer: octets))
        let closes = String(buffer: octets) == "CLOSE"
        self.actions.append(.toClient(octets))
        if closes { self.actions.append(.closeClient) }
    }

    mutating func clientClosed() { self.took("closed") }

    mutating func authenticationFinished(_ outcome: AuthenticationOutcome) {
        switch outcome {
        case .accepted(let user, _, _):
            self.authenticatedUser = user
            self.took("accepted")
        case .refused: self.took("refused")
        case .overloaded: self.took("overloaded")
        case .unavailable: self.took("unavailable")
        case .tooManyConnections: self.took("too many connections")
        }
    }

    mutating func timePassed(at now: Moment) {}
    mutating func idleTimeoutPassed() {
        self.took("idle")
        self.actions.append(.closeClient)
    }
    mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment) {
        self.took("other snapshot")
    }

    mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment) { self.took("snapshot") }
    mutating func shutdownRequested() { self.took("shutdown") }
    mutating func loginEnded() { self.took("login ended") }
    mutating func endRequested() { self.took("end") }
    mutating func auditReadingEnded() { self.took("audit") }

    mutating func yieldLoop() {
        self.took("yield")
        self.actions.append(.readLater)
    }

    mutating func resumeReading(at now: Moment) { self.took("resume") }

    mutating func takeActions(into taken: inout [Action]) {
        taken = self.actions
        self.actions = []
    }
}

/// The end of a client whose session is a ``ScriptedSession``.
final class ScriptedClientHandler: ClientConnection, ClientHandler {
    static var service: CredentialService { .submission }
    static var farewellWithoutAudit: String { "farewell\r\n" }

    var session = ScriptedSession()
    var spare: [ScriptedSession.Action] = []
    var takesClientOctets = true
    var cancellations = 0

    init(
        _ fixture: GatewayFixture,
        sessions: EventLoopSessions,
        security: Listener.Kind,
        eventLoop: any EventLoop
    ) {
        let limits = fixture.gateway.configuration.limits
        super.init(
            gateway: fixture.gateway,
            sessions: sessions,
            security: security,
            address: nil,
            eventLoop: eventLoop,
            permissions: fixture.gateway.permissions.current,
            clock: SessionClock(
                beforeLogin: limits.loginTimeout,
                afterLogin: limits.idleTimeout,
                at: eventLoop.now
            )
        )
    }

    func perform(_ action: ScriptedSession.Action) {
        switch action {
        case .toClient(let octets): self.write(octets)
        case .audit(let event): self.audit(event)
        case .authenticate(let credentials): self.authenticate(credentials)
        case .startTLS: self.startTLS()
        case .readLater: self.readOnLater()
        case .closeClient: self.closeClient()
        }
    }

    func knownProfiles(of user: UserID) -> [AccountID: UpstreamProfile?] { [:] }
    func actionsPerformed() {}
    func flushUpstream() {}
    func resumeReadingUpstream() {}
    func clientWritable() {}
    func cancelTimers() { self.cancellations += 1 }
    func checkClock() -> Bool { !self.clock.isExpired(at: self.eventLoop.now) }
    func upstreamsChanged(to permissions: StoreSnapshot) { self.session.took("servers") }
}
