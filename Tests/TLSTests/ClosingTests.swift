import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

struct ClosingTests {
    @Test(arguments: Version.allCases)
    func `close_notify is reported after all octets before it`(version: Version) throws {
        let pair = try Pair.open(version)
        pair.client.write("last words")
        let closed = pair.client.close()
        try closed.wait()
        #expect(!pair.client.channel.isActive)
        try pair.exchange()
        #expect(pair.server.recorder.text == "last words")
        #expect(pair.server.recorder.isShutDown)
        #expect(pair.server.recorder.isInputClosed)
        pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        pair.server.channel.pipeline.fireChannelInactive()
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test(arguments: Version.allCases)
    func `an end without close_notify is an error`(version: Version) throws {
        let pair = try Pair.open(version)
        pair.client.write("* 1 FETCH (BODY[] {100}\r\nhalf")
        try pair.exchange()
        pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(pair.server.recorder.errors == [.uncleanShutdown])
        #expect(!pair.server.recorder.isShutDown)
        #expect(!pair.server.recorder.isInputClosed)
        #expect(!pair.server.channel.isActive)
    }

    @Test func `a lost connection is an error`() throws {
        let pair = try Pair.open()
        let write = pair.server.write("unsent", flush: false)
        pair.server.channel.pipeline.fireChannelInactive()
        #expect(pair.server.recorder.errors == [.uncleanShutdown])
        #expect(pair.server.recorder.isInactive)
        #expect(throws: ChannelError.ioOnClosedChannel) { try write.wait() }
    }

    @Test(arguments: [true, false])
    func `an end during the handshake is an error`(isHalf: Bool) throws {
        let server = try End(TLSHandler(server: .testing()))
        try server.connect()
        let write = server.write("* OK\r\n")
        if isHalf {
            server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            server.channel.pipeline.fireChannelInactive()
        }
        #expect(server.recorder.errors == [.closedDuringHandshake])
        #expect(throws: (any Error).self) { try write.wait() }
    }

    @Test func `closing during the handshake fails pending writes`() throws {
        let client = try End(TLSHandler(client: .testing(), serverName: "mail.kanzlei.example"))
        try client.connect()
        let write = client.write("a1 NOOP\r\n")
        try client.close().wait()
        #expect(throws: ChannelError.ioOnClosedChannel) { try write.wait() }
        #expect(client.recorder.errors.isEmpty)
    }

    @Test func `a half-closed connection continues in the other direction`() throws {
        let pair = try Pair.open()
        try pair.client.channel.pipeline.syncOperations.addHandler(HalfClosing(), position: .first)
        pair.client.write("a1 LOGOUT\r\n")
        try pair.client.close(.output).wait()
        try pair.exchange()
        #expect(pair.server.recorder.text == "a1 LOGOUT\r\n")
        #expect(pair.server.recorder.isShutDown)
        #expect(pair.server.channel.isActive)
        pair.server.write("* BYE\r\n")
        try pair.exchange()
        #expect(pair.client.recorder.text == "* BYE\r\n")
        #expect(throws: ChannelError.outputClosed) { try pair.client.write("more").wait() }
        _ = pair.server.close()
        try pair.exchange()
        #expect(pair.client.recorder.isShutDown)
        #expect(pair.client.recorder.errors.isEmpty)
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test func `octets after close_notify are not read`() throws {
        let pair = try Pair.open()
        _ = pair.client.close(.output)
        var sent = try pair.client.takeSent()
        sent.writeString("a1 LOGIN anna secret\r\n")
        pair.server.receive(sent)
        pair.server.receive(ByteBuffer(string: "more"))
        #expect(pair.server.recorder.isShutDown)
        #expect(pair.server.recorder.text.isEmpty)
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test func `a peer that does not read delays a close for a limited time`() throws {
        let stopper = Stopper()
        let pair = try Pair.open()
        try pair.client.channel.pipeline.syncOperations.addHandler(stopper, position: .first)
        pair.client.write("unread")
        let closed = pair.client.close()
        let again = pair.client.close()
        #expect(pair.client.channel.isActive)
        #expect(stopper.writes == 2)
        pair.client.channel.embeddedEventLoop.advanceTime(by: TLSHandler.closeTime - .seconds(1))
        #expect(pair.client.channel.isActive)
        pair.client.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!pair.client.channel.isActive)
        try closed.wait()
        try again.wait()
        stopper.fail()
    }

    @Test func `a close waits for pending octets, also if it is repeated`() throws {
        let stopper = Stopper()
        let pair = try Pair.open()
        try pair.client.channel.pipeline.syncOperations.addHandler(stopper, position: .first)
        let closed = pair.client.close()
        let again = pair.client.close()
        #expect(pair.client.channel.isActive)
        #expect(throws: ChannelError.ioOnClosedChannel) { try pair.client.write("x").wait() }
        stopper.release()
        #expect(!pair.client.channel.isActive)
        try closed.wait()
        try again.wait()
    }
}

/// A network that accepts no octets.
private final class Stopper: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var promises: [EventLoopPromise<Void>] = []
    private(set) var writes = 0

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.writes += 1
        if let promise { self.promises.append(promise) }
    }

    func release() {
        let waiting = self.promises
        self.promises = []
        for promise in waiting { promise.succeed() }
    }

    func fail() {
        let waiting = self.promises
        self.promises = []
        for promise in waiting { promise.fail(ChannelError.ioOnClosedChannel) }
    }
}

/// A network that can be half-closed.
private final class HalfClosing: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output: promise?.succeed()
        case .input, .all: context.close(mode: mode, promise: promise)
        }
    }
}
