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
    private static func environment(loginTimeout: TimeAmount) async throws -> Environment {
        let file = try #require(Office.first.get().environment["GATEPOST_CONFIG"])
        var configuration = try await GatewayConfiguration(file: file, readsEnvironment: false)
        configuration.store =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("handler-\(UUID().uuidString).db").path
        configuration.exchange = nil
        configuration.limits.loginTimeout = loginTimeout
        return try Environment(
            configuration: configuration,
            store: PermissionStore(path: configuration.store),
            masterKey: MasterKey(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private static func removeStore(_ environment: Environment) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: environment.configuration.store + suffix)
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
        _ environment: Environment
    ) throws -> (channel: EmbeddedChannel, client: ClientHandler) {
        let client = ClientHandler(
            environment: environment,
            loop: LoopState(),
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
    private static func remains(_ environment: Environment) throws -> Remains {
        let (channel, client) = try Self.connect(environment)
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
        let environment = try await Self.environment(loginTimeout: .minutes(30))
        defer { Self.removeStore(environment) }
        let remains = try Self.remains(environment)
        #expect(remains.client == nil)
    }

    @Test func `who does not log in is told to go`() async throws {
        let environment = try await Self.environment(loginTimeout: .zero)
        defer { Self.removeStore(environment) }
        try Self.expectTimeout(environment)
    }

    private static func expectTimeout(_ environment: Environment) throws {
        let (channel, _) = try Self.connect(environment)
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try Self.said(channel).hasPrefix("* BYE "))
        #expect(!channel.isActive)
    }
}
