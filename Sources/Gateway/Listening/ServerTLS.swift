import NIOCore
import TLS

/// TLS for clients that connect without it.
enum ServerTLS {
    /// Adds a TLS server at the front of the pipeline after a client's STARTTLS.
    /// - Throws: `TLSError` or an error of NIO; the connection must be closed then.
    static func add(
        to context: ChannelHandlerContext,
        kind: Listener.Kind,
        gateway: GatewayContext
    ) throws {
        try context.pipeline.syncOperations.addHandler(
            TLSHandler(server: gateway.serverTLS(for: kind)),
            position: .first
        )
    }
}
