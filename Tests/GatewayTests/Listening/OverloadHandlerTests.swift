import Glibc
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import Gateway

/// What a client over a limit is told, and when its connection ends.
@Suite struct OverloadHandlerTests {
    private static func channel(_ kind: Listener.Kind) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: OverloadHandler(kind))
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 1)).wait()
        channel.embeddedEventLoop.run()
        return channel
    }

    private static func said(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let octets = try channel.readOutbound(as: ByteBuffer.self) {
            text += String(buffer: octets)
        }
        return text
    }

    @Test(arguments: [
        (Listener.Kind.imap, "* BYE [UNAVAILABLE]"), (.imaps, "* BYE [UNAVAILABLE]"),
        (.submission, "421 4."), (.submissions, "421 4."),
    ])
    func `a refused client is told in its protocol, after the handshake of implicit TLS`(
        kind: Listener.Kind,
        prefix: String
    ) throws {
        let channel = try Self.channel(kind)
        if kind.isImplicitTLS {
            #expect(try Self.said(channel) == "" && channel.isActive)
            channel.pipeline.fireUserInboundEventTriggered(
                TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)
            )
            channel.embeddedEventLoop.run()
        }
        let said = try Self.said(channel)
        #expect(said.hasPrefix(prefix), "\(said)")
        #expect(said.hasSuffix("\r\n") && said.split(separator: "\r\n").count == 1)
        #expect(!channel.isActive)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test(arguments: Listener.Kind.allCases)
    func `a refused client is not read, and is closed after a timeout`(kind: Listener.Kind) throws {
        let channel = try Self.channel(kind)
        if kind.isImplicitTLS {
            try channel.writeInbound(ByteBuffer(string: "A1 LOGIN a b\r\n"))
            #expect(try Self.said(channel) == "")
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(4_999))
            #expect(channel.isActive)
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        }
        #expect(!channel.isActive)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `a failed handshake closes a refused client at once`() throws {
        let channel = try Self.channel(.imaps)
        channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
        #expect(try Self.said(channel) == "")
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}

/// A listener without descriptors: it rests a while, and the log is not filled.
@Suite struct AcceptPauseTests {
    private struct Bench {
        let log = LogLines()
        let time = ManualTime()
        let channel: EmbeddedChannel

        init() {
            let time = self.time
            self.channel = EmbeddedChannel(
                handler: AcceptPause(logger: self.log.logger, now: { time.now })
            )
        }

        func fail(_ code: CInt) {
            self.channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
            self.channel.embeddedEventLoop.run()
        }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `a lack of descriptors or memory does not close the listener`(code: CInt) {
        let bench = Bench()
        bench.fail(code)
        #expect(throws: Never.self) { try bench.channel.throwIfErrorCaught() }
        #expect(bench.log.count("no client can be accepted for a moment") == 1)
    }

    @Test(arguments: [EINVAL, EBADF, ECONNABORTED])
    func `any other error is passed on unchanged`(code: CInt) {
        let bench = Bench()
        bench.fail(code)
        #expect(throws: IOError.self) { try bench.channel.throwIfErrorCaught() }
        #expect(bench.log.all == [])
    }

    @Test func `a lasting lack is logged once a minute with its count`() {
        let bench = Bench()
        for _ in 0..<5 { bench.fail(EMFILE) }
        #expect(bench.log.all.count == 1)
        bench.time.advance(by: AcceptPause.logPeriod - .seconds(1))
        bench.fail(EMFILE)
        #expect(bench.log.all.count == 1)
        bench.time.advance(by: .seconds(1))
        bench.fail(EMFILE)
        #expect(bench.log.all.count == 2)
        #expect(bench.log.all.last?.hasSuffix("times=6") == true)
    }
}

/// Whom the process may become.
@Suite struct PrivilegesTests {
    @Test(arguments: ["nobody-is-called-so", "", "a b"])
    func `an unknown user for the gateway is an error that names the user`(name: String) {
        let error = #expect(throws: ConfigurationError.self) { try Privileges.drop(to: name) }
        let said = error?.description ?? ""
        #expect(said.hasPrefix("user: "), "\(said)")
        #expect(said.contains("has no user") || said.contains("cannot switch to"))
    }

    @Test func `root is refused as the user of the gateway`() {
        guard geteuid() == 0 else { return }
        let error = #expect(throws: ConfigurationError.self) { try Privileges.drop(to: "root") }
        #expect(error?.description == "user: root is root: name another user")
    }
}
