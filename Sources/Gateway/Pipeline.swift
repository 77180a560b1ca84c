import NIOCore
import Session
import Store
import TLS

/// The only place where handlers are added: what stands here is the path of the octets.
///
///     client ── TLS ── IMAPClientHandler(session) ┄┄ UpstreamConnection(UpstreamChannel) ── TLS ── mail server
///     client ── TLS ── SubmissionClientHandler(session) ┄┄ SubmissionConnection(UpstreamChannel) ── TLS ── mail server
///
/// Both ends live on one event loop and call each other directly.
enum Pipeline {
    /// A socket that clients connect to.
    static func addListener(to channel: any Channel, _ gateway: GatewayContext) throws {
        try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: gateway.logger))
    }

    /// A client's connection; with implicit TLS the session greets once the handshake is done.
    static func addClient(
        to channel: any Channel,
        kind: Listener.Kind,
        arrival: Admission.Arrival,
        gateway: GatewayContext,
        sessions: EventLoopSessions
    ) throws {
        let operations = channel.pipeline.syncOperations
        if kind.isImplicitTLS {
            try operations.addHandler(TLSHandler(server: gateway.serverTLS(for: kind)))
        }
        let client = Self.client(of: channel, kind: kind, gateway: gateway, sessions: sessions)
        client.arrival = arrival
        try operations.addHandler(client)
    }

    private static func client(
        of channel: any Channel,
        kind: Listener.Kind,
        gateway: GatewayContext,
        sessions: EventLoopSessions
    ) -> any ClientConnection & ChannelHandler {
        switch kind {
        case .imaps, .imap:
            IMAPClientHandler(
                gateway: gateway,
                sessions: sessions,
                security: kind,
                address: channel.remoteAddress,
                eventLoop: channel.eventLoop
            )
        case .submissions, .submission:
            SubmissionClientHandler(
                gateway: gateway,
                sessions: sessions,
                security: kind,
                address: channel.remoteAddress,
                eventLoop: channel.eventLoop
            )
        }
    }

    /// A client that is told to go.
    static func addRefusal(
        to channel: any Channel,
        _ kind: Listener.Kind,
        gateway: GatewayContext
    ) throws {
        let operations = channel.pipeline.syncOperations
        if kind.isImplicitTLS {
            try operations.addHandler(TLSHandler(server: gateway.serverTLS(for: kind)))
        }
        try operations.addHandler(OverloadHandler(kind))
    }

    /// A command of an administrator.
    static func addControl(_ handler: any ChannelHandler, to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
