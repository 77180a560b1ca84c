import NIOCore
import NIOPosix
import Store
import Testing

@testable import Gateway

/// Addresses of servers that were reached a moment ago.
@Suite(.timeLimit(.minutes(2))) struct ReachedAddressesTests {
    private static let host = "mail.kanzlei.example"

    @Test func `an address is used for thirty seconds`() throws {
        let reached = ReachedAddresses()
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 993)
        let start = NIODeadline.uptimeNanoseconds(5)
        #expect(reached.address(host: Self.host, port: 993, at: start) == nil)
        reached.keep(address, host: Self.host, port: 993, at: start)
        #expect(reached.address(host: Self.host, port: 993, at: start) == address)
        #expect(reached.address(host: Self.host, port: 143, at: start) == nil)
        let end = start + ReachedAddresses.lifetime
        #expect(reached.address(host: Self.host, port: 993, at: end - .nanoseconds(1)) == address)
        #expect(reached.address(host: Self.host, port: 993, at: end) == nil)
    }

    @Test func `an address at which nobody answers is dropped`() throws {
        let reached = ReachedAddresses()
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 993)
        reached.keep(address, host: Self.host, port: 993, at: .uptimeNanoseconds(5))
        reached.drop(host: Self.host, port: 993)
        #expect(reached.address(host: Self.host, port: 993, at: .uptimeNanoseconds(5)) == nil)
    }

    @Test func `a server that has moved is reached at its new address`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        // Nobody listens at the old address.
        let connector = SocketConnector()
        let old = try SocketAddress(ipAddress: "127.9.9.9", port: port)
        connector.reached.keep(old, host: "localhost", port: port, at: .now())
        let endpoint = Endpoint(host: "localhost", port: port, tls: .none)
        let channel = try await connector.dial(
            endpoint,
            on: group.next(),
            timeout: .seconds(10)
        ) { _ in }.get()
        #expect(channel.remoteAddress?.ipAddress == "127.0.0.1")
        let known = connector.reached.address(host: "localhost", port: port, at: .now())
        #expect(known?.ipAddress == "127.0.0.1")
        try await channel.close()
        try await server.close()
    }
}
