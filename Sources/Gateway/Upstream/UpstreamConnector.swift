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
    /// Addresses of servers that need no look-up.
    let reached = ReachedAddresses()

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
        // An IP address needs no resolver, which would block another thread.
        if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            return self.bootstrap(on: loop, timeout: timeout, configure).connect(to: address)
        }
        let (host, port) = (endpoint.host, endpoint.port)
        guard let known = self.reached.address(host: host, port: port, at: .now()) else {
            return self.resolve(
                endpoint,
                with: self.bootstrap(on: loop, timeout: timeout, configure)
            )
        }
        return self.bootstrap(on: loop, timeout: timeout, configure).connect(to: known)
            .flatMapError { _ in
                self.reached.drop(host: host, port: port)
                return self.resolve(
                    endpoint,
                    with: self.bootstrap(on: loop, timeout: timeout, configure)
                )
            }
    }

    /// Resolves the host name, connects, and keeps the address.
    private func resolve(
        _ endpoint: Endpoint,
        with bootstrap: ClientBootstrap
    ) -> EventLoopFuture<any Channel> {
        bootstrap.connect(host: endpoint.host, port: endpoint.port).map { channel in
            if let address = channel.remoteAddress {
                self.reached.keep(address, host: endpoint.host, port: endpoint.port, at: .now())
            }
            return channel
        }
    }

    private func bootstrap(
        on loop: any EventLoop,
        timeout: TimeAmount,
        _ configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> ClientBootstrap {
        ClientBootstrap(group: loop)
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
    }
}
