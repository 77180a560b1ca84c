import Access
import NIOCore
import Session
import Store

/// A client's connection and the state that does not depend on the client's protocol. Used on its
/// event loop only.
class ClientConnection {
    let gateway: GatewayContext
    /// The sessions of this event loop.
    let sessions: EventLoopSessions
    /// The kind of listener that accepted the connection.
    let security: Listener.Kind
    /// The client's address; nil for a channel without one.
    let address: SocketAddress?
    /// Kept separately from ``context``, because a session can outlast its channel.
    let eventLoop: any EventLoop
    /// Nil once the channel is closed.
    var context: ChannelHandlerContext?
    /// Whether the channel takes octets, as it last reported.
    var isChannelWritable = true
    /// The snapshot that the session was last told about.
    var permissions: StoreSnapshot
    /// The session's records for the audit log.
    var trail: AuditTrail
    /// Holds the octets for the client until the records about them are on the disk.
    var gate = OutputGate()
    /// Measures the client's time to log in, and its silence.
    var clock: SessionClock
    /// The next check of the clock.
    var timeout: Scheduled<Void>?
    /// Whether the greeting was sent.
    var hasGreeted = false
    /// Whether octets wait for the next flush.
    var needsFlush = false
    /// How many octets wait for the next flush, for the client and the servers together.
    var unflushedOctets = 0
    /// Whether a read was held back for back-pressure.
    var hasPendingRead = false
    /// Whether commands wait in the session until the client takes responses.
    var readsOnWhenWritable = false
    /// Whether `perform()` runs; a nested call returns at once.
    var isPerforming = false
    /// Counts the connection among those of its network before the login; nil after the login.
    var arrival: Admission.Arrival?
    /// The login whose password is being checked.
    var pendingLogin: Authenticator.Handle?
    /// What ends the session before its user does.
    var loginEnd = LoginEnd.none
    /// The end of the session when its credential expires.
    var expiry: Scheduled<Void>?
    /// Counts the connection among those of its user; nil before the login.
    var slot: Admission.ConnectionSlot?
    /// The session's number and beginning; nil before the login.
    var began: (number: UInt64, at: Moment)?

    /// Octets from which a flush does not wait for the end of the round: they are encrypted while the
    /// processor's caches contain them.
    static let maximumUnflushedOctets = 32 * 1_024

    /// - Parameters:
    ///   - sessions: the sessions of `eventLoop`.
    ///   - clock: its state when the connection begins.
    init(
        gateway: GatewayContext,
        sessions: EventLoopSessions,
        security: Listener.Kind,
        address: SocketAddress?,
        eventLoop: any EventLoop,
        permissions: StoreSnapshot,
        clock: SessionClock
    ) {
        self.gateway = gateway
        self.sessions = sessions
        self.security = security
        self.address = address
        self.eventLoop = eventLoop
        self.permissions = permissions
        self.trail = AuditTrail(
            gateway.audit,
            address: address,
            isRequired: gateway.configuration.oversight.audit == .required
        )
        self.clock = clock
    }

    /// Whether the client takes more octets now; false while its answers wait for the audit log,
    /// and once the channel is closed.
    var isWritable: Bool { self.isChannelWritable && self.context != nil && self.gate.isOpen }
}
