import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Store
import Testing

@testable import Gateway

/// How long a client's end of a session lives.
@Suite @MainActor struct ClientHandlerTests {
    /// What connections share, with a store of its own and the certificates of an office.
    private static func gateway(loginTimeout: TimeAmount) async throws -> GatewayContext {
        let file = try #require(Office.first.get().environment["GATEPOST_CONFIG"])
        var configuration = try await GatewayConfiguration(file: file, readsEnvironment: false)
        configuration.store =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("handler-\(UUID().uuidString).db").path
        configuration.exchange = nil
        configuration.limits.loginTimeout = loginTimeout
        return try GatewayContext(
            configuration: configuration,
            store: PermissionStore(path: configuration.store),
            masterKey: MasterKey(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private static func removeStore(_ gateway: GatewayContext) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: gateway.configuration.store + suffix)
        }
    }

    private static func said(_ channel: EmbeddedChannel) throws -> String {
        var octets = ByteBuffer()
        while let more = try channel.readOutbound(as: ByteBuffer.self) {
            octets.writeImmutableBuffer(more)
        }
        return String(buffer: octets)
    }

    /// A session without TLS on a connection that stands.
    private static func connect(
        _ gateway: GatewayContext
    ) throws -> (channel: EmbeddedChannel, client: ClientHandler) {
        let client = ClientHandler(
            gateway: gateway,
            loop: EventLoopSessions(),
            security: .imap,
            address: nil
        )
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(client)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 143)).wait()
        channel.embeddedEventLoop.run()
        #expect(try Self.said(channel).hasPrefix("* OK "))
        return (channel, client)
    }

    /// - Returns: the session, once its connection has ended.
    private static func remains(_ gateway: GatewayContext) throws -> Remains {
        let (channel, client) = try Self.connect(gateway)
        // What a session waits for, minutes away each.
        client.schedulePoll()
        client.scheduleReport()
        client.scheduleRevocation()
        try channel.close().wait()
        channel.embeddedEventLoop.run()
        return Remains(channel: channel, client: client)
    }

    private struct Remains {
        /// Its loop holds what is still to be done.
        let channel: EmbeddedChannel
        weak var client: ClientHandler?
    }

    @Test func `nothing keeps a session whose connection has ended`() async throws {
        let gateway = try await Self.gateway(loginTimeout: .minutes(30))
        defer { Self.removeStore(gateway) }
        let remains = try Self.remains(gateway)
        #expect(remains.client == nil)
    }

    @Test func `who does not log in is told to go`() async throws {
        let gateway = try await Self.gateway(loginTimeout: .zero)
        defer { Self.removeStore(gateway) }
        try Self.expectTimeout(gateway)
    }

    private static func expectTimeout(_ gateway: GatewayContext) throws {
        let (channel, _) = try Self.connect(gateway)
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try Self.said(channel).hasPrefix("* BYE "))
        #expect(!channel.isActive)
    }
}
