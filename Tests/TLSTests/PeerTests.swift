import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import TLS

/// Connections over real sockets, some with OpenSSL's own client.
struct PeerTests {
    @Test(arguments: Version.allCases)
    func `an OpenSSL client is served`(version: Version) async throws {
        let made = try Certificates.shared.get()
        let server = try await EchoServer(.testing(alpn: ["imap"]))
        let flag = version == .tls12 ? "-tls1_2" : "-tls1_3"
        let said = try await ForeignClient.run(
            [flag, "-CAfile", made.authority, "-alpn", "imap"]
                + ["-servername", "mail.kanzlei.example"]
                + ["-verify_hostname", "mail.kanzlei.example", "-verify_return_error"],
            port: server.port,
            lines: [ForeignClient.Line(text: "a1 NOOP", answer: "\na1 NOOP\n")]
        )
        #expect(said.contains("\na1 NOOP\n"))
        #expect(said.contains("Verify return code: 0 (ok)"))
        #expect(said.contains("ALPN protocol: imap"))
        #expect(said.contains("Secure Renegotiation IS") || version == .tls13)
        #expect(said.contains("Compression: NONE"))
        try await server.stop()
    }

    @Test func `an OpenSSL client with TLS 1_1 is refused`() async throws {
        let server = try await EchoServer(.testing())
        let said = try await ForeignClient.run(
            ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            port: server.port,
            lines: []
        )
        #expect(said.contains("alert protocol version"))
        #expect(server.log.errors == [.protocolVersion])
        try await server.stop()
    }

    @Test func `weak suites are refused`() async throws {
        let server = try await EchoServer(.testing())
        for suites in ["ECDHE+AES+SHA1", "aNULL:eNULL:@SECLEVEL=0", "ECDHE-ECDSA-AES256-SHA384"] {
            let said = try await ForeignClient.run(
                ["-tls1_2", "-cipher", suites],
                port: server.port,
                lines: []
            )
            #expect(said.contains("handshake failure"), "\(suites)")
        }
        try await server.stop()
    }

    @Test func `slow groups are refused`() async throws {
        let server = try await EchoServer(.testing())
        for groups in ["ffdhe2048", "ffdhe8192", "sect571r1"] {
            let said = try await ForeignClient.run(
                ["-tls1_3", "-groups", groups],
                port: server.port,
                lines: []
            )
            #expect(!said.contains("Server certificate"), "\(groups)")
        }
        try await server.stop()
    }

    @Test func `a renegotiation is refused`() async throws {
        let server = try await EchoServer(.testing())
        let said = try await ForeignClient.run(
            ["-tls1_2"],
            port: server.port,
            lines: [
                ForeignClient.Line(text: "a1 NOOP", answer: "\na1 NOOP\n"),
                ForeignClient.Line(text: "R", answer: "no renegotiation"),
                ForeignClient.Line(text: "a2 NOOP", answer: "\na2 NOOP\n"),
            ]
        )
        #expect(said.contains("RENEGOTIATING"))
        #expect(said.contains("no renegotiation"))
        #expect(said.contains("\na1 NOOP\n"))
        #expect(!said.contains("\na2 NOOP\n"))
        try await server.stop()
    }

    @Test func `early data is not accepted`() async throws {
        let made = try Certificates.shared.get()
        let server = try await EchoServer(.testing())
        let session = Forge(folder: made.folder).path("foreign.session")
        let first = try await ForeignClient.run(
            ["-tls1_3", "-sess_out", session],
            port: server.port,
            lines: [ForeignClient.Line(text: "a1 NOOP", answer: "\na1 NOOP\n")]
        )
        #expect(first.contains("Max Early Data: 0"))
        let second = try await ForeignClient.run(
            ["-tls1_3", "-sess_in", session],
            port: server.port,
            lines: [ForeignClient.Line(text: "a2 NOOP", answer: "\na2 NOOP\n")]
        )
        #expect(second.contains("Reused, TLSv1.3"))
        try await server.stop()
    }

    @Test(arguments: Version.allCases)
    func `a megabyte is echoed unchanged`(version: Version) async throws {
        let server = try await EchoServer(.testing())
        let context = try TLSClientContext.testing(version: version)
        let total = 1_024 * 1_024
        let result = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let done = channel.eventLoop.makePromise(of: Bool.self)
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSHandler(client: context, serverName: "mail.kanzlei.example"),
                        Bulk(total, done),
                    ])
                    return done.futureResult
                }
            }
        #expect(try await result.get())
        #expect(server.log.errors.isEmpty)
        try await server.stop()
    }

    @Test(.timeLimit(.minutes(20)))
    func `a connection cut by the network is an error at the other end`() async throws {
        let server = try await EchoServer(.testing())
        let context = try TLSClientContext.testing()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try TLSHandler(client: context, serverName: "mail.kanzlei.example")
                    try channel.pipeline.syncOperations.addHandlers([Cutter(), tls])
                }
            }
            .connect(host: "127.0.0.1", port: server.port)
            .get()
        try await channel.closeFuture.get()
        while server.log.errors.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(server.log.errors == [.uncleanShutdown])
        try await server.stop()
    }
}

/// Sends octets of a pattern and compares the echo.
private final class Bulk: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let part = 100_003
    private let total: Int
    private var done: EventLoopPromise<Bool>?
    private var sent = 0
    private var received = 0
    private var isSame = true

    init(_ total: Int, _ done: EventLoopPromise<Bool>) {
        self.total = total
        self.done = done
    }

    private static func octet(at position: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: position &* 31 &+ position >> 8)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.send(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        while self.sent < self.total, context.channel.isWritable {
            let end = min(self.total, self.sent + Self.part)
            let octets = ByteBuffer(bytes: (self.sent..<end).map(Self.octet))
            self.sent = end
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            let own = NIOLoopBound(self, eventLoop: context.eventLoop)
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenSuccess { own.value.send(bound.value) }
            context.writeAndFlush(self.wrapOutboundOut(octets), promise: promise)
            return
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for octet in self.unwrapInboundIn(data).readableBytesView {
            if octet != Self.octet(at: self.received) { self.isSame = false }
            self.received += 1
        }
        guard self.received >= self.total else { return }
        self.done?.succeed(self.isSame && self.received == self.total)
        self.done = nil
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.done?.succeed(false)
        self.done = nil
    }
}

/// Closes the socket below TLS after the handshake.
private final class Cutter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private var flushes = 0

    func flush(context: ChannelHandlerContext) {
        context.flush()
        self.flushes += 1
        // The client has two flights: its greeting, and the end of its handshake (RFC 8446 §2).
        if self.flushes == 2 { context.close(promise: nil) }
    }
}
