import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// A submitting client's end of a session, with its own machine.
@Suite struct SubmissionClientHandlerTests {
    private static func connect(
        _ fixture: GatewayFixture
    ) throws -> (channel: EmbeddedChannel, client: SubmissionClientHandler) {
        let channel = EmbeddedChannel()
        let client = SubmissionClientHandler(
            gateway: fixture.gateway,
            sessions: EventLoopSessions(),
            security: .submission,
            address: nil,
            eventLoop: channel.eventLoop
        )
        try channel.pipeline.syncOperations.addHandler(client)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 587)).wait()
        channel.embeddedEventLoop.run()
        #expect(try channel.said().hasPrefix("220 "))
        return (channel, client)
    }

    private struct Remains {
        /// Its loop holds what is still to be done.
        let channel: EmbeddedChannel
        weak var client: SubmissionClientHandler?
    }

    private static func remains(_ fixture: GatewayFixture) throws -> Remains {
        let (channel, client) = try Self.connect(fixture)
        try channel.close().wait()
        channel.embeddedEventLoop.run()
        return Remains(channel: channel, client: client)
    }

    @Test func `no timer retains a session whose connection has ended`() throws {
        let remains = try Self.remains(GatewayFixture())
        #expect(remains.client == nil)
    }

    @Test func `a client that does not log in is disconnected with a response`() throws {
        let fixture = try GatewayFixture { $0.loginTimeout = .seconds(25) }
        let (channel, _) = try Self.connect(fixture)
        channel.embeddedEventLoop.advanceTime(by: .seconds(24))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try channel.said().hasPrefix("421 "))
        #expect(!channel.isActive)
    }
}
