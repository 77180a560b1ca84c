import NIOCore
import NIOPosix
import Testing

@testable import Demo

/// Free ports of this machine.
@Suite struct LoopbackPortTests {
    @Test func `no port is given twice, and none that the system gives to connections`() throws {
        let ports = try (0..<50).map { _ in try LoopbackPort.free(preferring: 0) }
        #expect(Set(ports).count == 50)
        #expect(ports.allSatisfy { (20_000..<32_768).contains($0) })
    }

    @Test func `a preferred port is given while it is free`() async throws {
        let port = try LoopbackPort.free(preferring: 0)
        #expect(try LoopbackPort.free(preferring: port) == port)
        #expect(!LoopbackPort.accepts(port))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: port).get()
        #expect(LoopbackPort.accepts(port))
        #expect(try LoopbackPort.free(preferring: port) != port)
        try await server.close()
        #expect(!LoopbackPort.accepts(port))
    }
}
