import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// An IMAP client's end of a session, with its own machine.
@Suite struct IMAPClientHandlerTests {
    private static func connect(
        _ fixture: GatewayFixture
    ) throws -> (channel: EmbeddedChannel, client: IMAPClientHandler) {
        let channel = EmbeddedChannel()
        let client = IMAPClientHandler(
            gateway: fixture.gateway,
            sessions: EventLoopSessions(),
            security: .imap,
            address: nil,
            eventLoop: channel.eventLoop
        )
        try channel.pipeline.syncOperations.addHandler(client)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 143)).wait()
        channel.embeddedEventLoop.run()
        #expect(try channel.said().hasPrefix("* OK "))
        return (channel, client)
    }

    /// - Returns: the session, once its connection has ended.
    private static func remains(_ fixture: GatewayFixture) throws -> Remains {
        let (channel, client) = try Self.connect(fixture)
        // What a session waits for, minutes away each.
        client.schedulePoll()
        client.scheduleReport()
        client.scheduleRevocation()
        client.scheduleSilenceCheck()
        client.limitWaiting()
        try channel.close().wait()
        channel.embeddedEventLoop.run()
        return Remains(channel: channel, client: client)
    }

    private struct Remains {
        /// Its loop holds what is still to be done.
        let channel: EmbeddedChannel
        weak var client: IMAPClientHandler?
    }

    @Test func `no timer retains a session whose connection has ended`() throws {
        let remains = try Self.remains(GatewayFixture())
        #expect(remains.client == nil)
    }

    @Test func `a client that does not log in is disconnected with a response`() throws {
        let fixture = try GatewayFixture { $0.loginTimeout = .seconds(30) }
        let (channel, _) = try Self.connect(fixture)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try channel.said().hasPrefix("* BYE "))
        #expect(!channel.isActive)
    }

    @Test func `STARTTLS adds TLS at the front of the pipeline`() throws {
        let (channel, _) = try Self.connect(GatewayFixture())
        try channel.writeInbound(ByteBuffer(string: "a STARTTLS\r\n"))
        channel.embeddedEventLoop.run()
        #expect(try channel.said().hasPrefix("a OK "))
        // No command any more: it is read as TLS.
        _ = try? channel.writeInbound(ByteBuffer(string: "b NOOP\r\n"))
        channel.embeddedEventLoop.run()
        #expect(try !channel.said().contains("b "))
    }
}
