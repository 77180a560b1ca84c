import NIOCore
import Session
import Store
import TLS

/// The handlers of each channel, and so the path of the octets.
///
///     client ── TLS ── IMAPClientHandler(session) ┄┄ UpstreamConnection(UpstreamChannel) ── TLS ── mail server
///     client ── TLS ── SubmissionClientHandler(session) ┄┄ SubmissionConnection(UpstreamChannel) ── TLS ── mail server
///
/// Both ends live on one event loop and call each other directly.
enum Pipeline {
    /// Adds the handlers of a listening socket.
    static func addListener(to channel: any Channel, gateway: GatewayContext) throws {
        try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: gateway.logger))
    }

    /// Adds the handlers of a client's connection. With implicit TLS the session greets after the
    /// handshake.
    /// - Parameter arrival: counts the connection until its login.
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

    /// Adds the handler of a client whose octets come decrypted, for ``EmbeddedGateway``. With
    /// implicit TLS the session greets at the event `TLSUserEvent.handshakeCompleted`.
    static func addDecryptedClient(
        to channel: any Channel,
        kind: Listener.Kind,
        gateway: GatewayContext,
        sessions: EventLoopSessions
    ) throws {
        let client = Self.client(of: channel, kind: kind, gateway: gateway, sessions: sessions)
        try channel.pipeline.syncOperations.addHandler(client)
    }

    /// The handler for the protocol of the listener.
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

    /// Adds the handlers of a connection that is refused.
    static func addRefusal(
        to channel: any Channel,
        kind: Listener.Kind,
        gateway: GatewayContext
    ) throws {
        let operations = channel.pipeline.syncOperations
        if kind.isImplicitTLS {
            try operations.addHandler(TLSHandler(server: gateway.serverTLS(for: kind)))
        }
        try operations.addHandler(OverloadHandler(kind))
    }

    /// Adds the handler of an administrator's command.
    static func addControl(_ handler: any ChannelHandler, to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
