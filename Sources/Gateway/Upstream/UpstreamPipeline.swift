import NIOCore
import Store
import TLS

/// The handlers of connections to mail servers.
enum UpstreamPipeline {
    /// A connection to a mail server.
    static func add(
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
    static func addTLS(
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
