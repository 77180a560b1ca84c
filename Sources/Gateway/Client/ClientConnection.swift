import Access
import NIOCore
import Session
import Store

/// A client's connection, and what belongs to it whatever protocol the client speaks. Used on its event loop only.
class ClientConnection {
    let gateway: GatewayContext
    let sessions: EventLoopSessions
    let security: Listener.Kind
    let address: SocketAddress?
    /// Work goes on after the channel is gone, too.
    let eventLoop: any EventLoop
    /// Nil once the channel is gone.
    var context: ChannelHandlerContext?
    var permissions: StoreSnapshot
    var trail: AuditTrail
    var clock: SessionClock
    /// The next look at the clock.
    var timeout: Scheduled<Void>?
    var hasGreeted = false
    var needsFlush = false
    var hasPendingRead = false
    /// Whether commands wait in the session until the client takes answers.
    var readsOnWhenWritable = false
    var isPerforming = false
    /// Among the connections of its network that are not logged in.
    var arrival: Admission.Arrival?
    /// The login that is being checked.
    var pendingLogin: Authenticator.Handle?
    /// Among the user's connections, from the login on.
    var slot: Admission.ConnectionSlot?
    /// The session's number and its beginning, once somebody is logged in.
    var began: (number: UInt64, at: Moment)?

    /// - Parameters:
    ///   - sessions: the sessions of `eventLoop`.
    ///   - clock: as it is when the connection begins.
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
        self.trail = AuditTrail(gateway.audit, address: address)
        self.clock = clock
    }

    /// Whether the client takes more octets now.
    var isWritable: Bool { self.context?.channel.isWritable ?? false }
}
