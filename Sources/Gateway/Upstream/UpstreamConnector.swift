package import NIOCore
import NIOPosix
package import Store

/// Opens connections to servers. Tests replace it.
package protocol UpstreamConnector: Sendable {
    /// Connects to a server.
    /// - Parameters:
    ///   - loop: the event loop of the new channel.
    ///   - configure: adds the handlers, on the event loop, before the channel is active.
    /// - Returns: fails with errors of NIO; ``ConnectionFailure`` explains them.
    func dial(
        _ endpoint: Endpoint,
        on loop: any EventLoop,
        timeout: TimeAmount,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel>
}

/// Opens TCP connections.
final class SocketConnector: UpstreamConnector {
    /// The largest read. With 128 KiB a message costs the least time; larger reads gain nothing.
    private static let maximumReadOctets = 128 * 1_024

    /// Nil outside a running gateway.
    private let descriptors: DescriptorBudget?

    /// - Parameter descriptors: counts the connections; nil outside a running gateway.
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
        // An IP address needs no resolver, which would block another thread.
        if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: endpoint.host, port: endpoint.port)
    }
}
