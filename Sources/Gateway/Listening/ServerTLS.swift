import NIOCore
import TLS

/// TLS towards clients that begin without it.
enum ServerTLS {
    /// TLS under a client that said STARTTLS.
    static func add(
        to context: ChannelHandlerContext,
        _ kind: Listener.Kind,
        gateway: GatewayContext
    ) throws {
        try context.pipeline.syncOperations.addHandler(
            TLSHandler(server: gateway.serverTLS(for: kind)),
            position: .first
        )
    }
}
