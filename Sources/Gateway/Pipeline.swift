import NIOCore
import Session
import Store
import TLS

/// The only place where handlers are added: what stands here is the path of the octets.
///
///     client ── TLS ── ClientHandler(session) ┄┄ UpstreamConnection ── TLS ── mail server
///     client ── TLS ── SubmissionHandler(session) ┄┄ SubmissionConnection ── TLS ── mail server
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
        loop: EventLoopSessions
    ) throws {
        let operations = channel.pipeline.syncOperations
        if kind.isImplicitTLS {
            try operations.addHandler(TLSHandler(server: gateway.serverTLS(for: kind)))
        }
        let address = channel.remoteAddress
        switch kind {
        case .imaps, .imap:
            let client = ClientHandler(
                gateway: gateway,
                loop: loop,
                security: kind,
                address: address
            )
            client.arrival = arrival
            try operations.addHandler(client)
        case .submissions, .submission:
            let client = SubmissionHandler(
                gateway: gateway,
                loop: loop,
                security: kind,
                address: address
            )
            client.arrival = arrival
            try operations.addHandler(client)
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
    static func addControl(
        to channel: any Channel,
        _ gateway: GatewayContext,
        listeners: Listeners
    ) throws {
        try channel.pipeline.syncOperations.addHandler(
            ControlHandler(gateway: gateway, listeners: listeners)
        )
    }

    /// TLS under a client that said STARTTLS.
    static func addServerTLS(
        to context: ChannelHandlerContext,
        _ kind: Listener.Kind,
        gateway: GatewayContext
    ) throws {
        try context.pipeline.syncOperations.addHandler(
            TLSHandler(server: gateway.serverTLS(for: kind)),
            position: .first
        )
    }

    /// A connection to a mail server.
    static func addUpstream(
        _ connection: any ChannelHandler,
        endpoint: Endpoint,
        to channel: any Channel,
        upstream: UpstreamServices
    ) throws {
        let operations = channel.pipeline.syncOperations
        if endpoint.tls == .implicit {
            let context = try upstream.clientTLS.context(for: endpoint)
            try operations.addHandler(TLSHandler(client: context, serverName: endpoint.host))
        }
        try operations.addHandler(connection)
    }

    /// TLS under a connection to a mail server that agreed to STARTTLS.
    static func addUpstreamTLS(
        to context: ChannelHandlerContext,
        _ endpoint: Endpoint,
        upstream: UpstreamServices
    ) throws {
        let tls = try upstream.clientTLS.context(for: endpoint)
        try context.pipeline.syncOperations.addHandler(
            TLSHandler(client: tls, serverName: endpoint.host),
            position: .first
        )
    }
}
