import NIOCore
import NIOPosix
import Store

/// Opens connections to servers on a given event loop.
protocol UpstreamConnector: Sendable {
    /// - Parameter configure: adds the handlers, on the event loop, before the connection stands.
    func dial(
        _ endpoint: Endpoint,
        on loop: any EventLoop,
        timeout: TimeAmount,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel>
}

/// Opens TCP connections.
final class SocketConnector: UpstreamConnector {
    /// A read of 128 KiB costs least a message; above it nothing is gained.
    private static let maximumReadOctets = 128 * 1_024

    private let descriptors: DescriptorBudget?

    /// - Parameter descriptors: counts the connections; nil outside a gateway.
    init(descriptors: DescriptorBudget? = nil) {
        self.descriptors = descriptors
    }

    func dial(
        _ endpoint: Endpoint,
        on loop: any EventLoop,
        timeout: TimeAmount,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 64,
                    initial: 512,
                    maximum: Self.maximumReadOctets
                )
            )
            .channelInitializer { [descriptors = self.descriptors] channel in
                descriptors?.count(channel)
                return channel.eventLoop.makeCompletedFuture { try configure(channel) }
            }
        // An address needs no resolver, and so no other thread.
        if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: endpoint.host, port: endpoint.port)
    }
}
