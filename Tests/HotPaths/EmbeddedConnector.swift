import Gateway
import NIOCore
import NIOEmbedded
import Store
import Synchronization

/// Connects the gateway to mail servers without sockets.
final class EmbeddedConnector: UpstreamConnector {
    private let newest = Mutex<EmbeddedChannel?>(nil)

    /// The server's end of the newest connection; nil if it was taken already.
    func takeServer() -> Peer? {
        self.newest.withLock { $0.take() }.map { Peer(channel: $0) }
    }

    func dial(
        _ endpoint: Endpoint,
        on loop: any EventLoop,
        timeout: TimeAmount,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        guard let embedded = loop as? EmbeddedEventLoop else {
            return loop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let channel = EmbeddedChannel(loop: embedded)
        do {
            try configure(channel)
            let address = try SocketAddress(ipAddress: "192.0.2.1", port: endpoint.port)
            self.newest.withLock { $0 = channel }
            return channel.connect(to: address).map { channel }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
}
