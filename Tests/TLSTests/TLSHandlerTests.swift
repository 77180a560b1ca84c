import COpenSSL
import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

struct TLSHandlerTests {
    @Test(arguments: Version.allCases)
    func `octets may arrive one at a time`(version: Version) throws {
        let pair = try Pair(.testing(version: version), .testing())
        pair.client.write("a1 LOGIN anna secret\r\n")
        try pair.exchange(partsOf: 1)
        pair.server.write("a1 OK\r\n")
        try pair.exchange(partsOf: 1)
        #expect(pair.server.recorder.text == "a1 LOGIN anna secret\r\n")
        #expect(pair.client.recorder.text == "a1 OK\r\n")
        _ = pair.client.close()
        try pair.exchange(partsOf: 1)
        #expect(pair.server.recorder.isShutDown)
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test(arguments: [2, 3, 5, 7, 64, 1_021, 16_406, 16_407, 60_000])
    func `records may be split anywhere`(size: Int) throws {
        let pair = try Pair.open()
        let text = String((0..<200_000).map { Character(UnicodeScalar(UInt8(0x20 + $0 % 90))) })
        pair.client.write(text)
        try pair.exchange(partsOf: size)
        #expect(pair.server.recorder.text == text)
    }

    @Test func `writes before the handshake are sent after it, in order`() throws {
        let pair = try Pair(.testing(), .testing(), connects: false)
        let first = pair.client.write("a1 ")
        let second = pair.client.write("NOOP", flush: false)
        var order: [Int] = []
        first.assumeIsolated().whenSuccess { order.append(1) }
        second.assumeIsolated().whenSuccess { order.append(2) }
        try pair.server.connect()
        try pair.client.connect()
        #expect(order.isEmpty)
        try pair.exchange()
        #expect(pair.server.recorder.text == "a1 ")
        #expect(order == [1])
        pair.client.write("\r\n")
        try pair.exchange()
        #expect(pair.server.recorder.text == "a1 NOOP\r\n")
        #expect(order == [1, 2])
    }

    @Test func `small writes of one flush share a record`() throws {
        let pair = try Pair.open()
        for _ in 1...100 { pair.client.write("a1 NOOP\r\n", flush: false) }
        pair.client.channel.flush()
        let sent = try pair.client.takeSent()
        #expect(sent.readableBytes == 900 + 22)
        pair.server.receive(sent)
        let large = String(repeating: "x", count: 40_000)
        pair.client.write("before ", flush: false)
        pair.client.write(large, flush: false)
        pair.client.write(" after")
        try pair.exchange()
        #expect(pair.server.recorder.text.hasSuffix("NOOP\r\nbefore " + large + " after"))
    }

    @Test func `an empty write completes and sends nothing`() throws {
        let pair = try Pair.open()
        let done = pair.client.write("")
        #expect(try pair.client.takeSent().readableBytes == 0)
        try done.wait()
    }

    @Test func `a handler added to an active channel starts the handshake`() throws {
        let client = EmbeddedChannel()
        let server = EmbeddedChannel()
        for channel in [client, server] {
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 143)).wait()
        }
        let recorder = Recorder()
        try server.pipeline.syncOperations.addHandlers([
            TLSHandler(server: .testing()), recorder,
        ])
        try client.pipeline.syncOperations.addHandler(
            TLSHandler(client: .testing(), serverName: "mail.kanzlei.example")
        )
        client.pipeline.writeAndFlush(ByteBuffer(string: "b1 CAPABILITY\r\n"), promise: nil)
        for _ in 1...4 {
            while let part = try client.readOutbound(as: ByteBuffer.self) {
                try server.writeInbound(part)
            }
            while let part = try server.readOutbound(as: ByteBuffer.self) {
                try client.writeInbound(part)
            }
        }
        #expect(recorder.isHandshakeComplete)
        #expect(recorder.text == "b1 CAPABILITY\r\n")
    }

    // MARK: - Protocol violations

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "a1 LOGIN anna secret\r\n", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
        "\u{16}\u{3}\u{1}\u{0}\u{5}hello", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{28}",
    ])
    func `octets that are no TLS are an error and close the connection`(text: String) throws {
        let server = try End(TLSHandler(server: .testing()))
        try server.connect()
        let write = server.write("* OK ready\r\n")
        server.receive(ByteBuffer(string: text))
        #expect(server.recorder.errors.count == 1)
        #expect(server.recorder.text.isEmpty)
        #expect(!server.channel.isActive)
        #expect(throws: (any Error).self) { try write.wait() }
    }

    @Test(arguments: Version.allCases)
    func `plain text after the handshake is an error and closes the connection`(
        version: Version
    ) throws {
        let pair = try Pair.open(version)
        pair.server.receive(ByteBuffer(string: "a1 LOGIN anna secret\r\n"))
        guard case .protocolViolation = pair.server.recorder.errors.first else {
            Issue.record("\(pair.server.recorder.errors)")
            return
        }
        #expect(pair.server.recorder.text.isEmpty)
        #expect(!pair.server.channel.isActive)
        #expect(throws: (any Error).self) { try pair.server.write("x").wait() }
    }

    @Test(arguments: Version.allCases)
    func `a changed octet is an error, and its record is not passed on`(
        version: Version
    ) throws {
        let pair = try Pair.open(version)
        pair.client.write("whole ")
        try pair.exchange()
        pair.client.write("changed")
        var sent = try pair.client.takeSent()
        let last = sent.writerIndex - 1
        let octet = try #require(sent.getInteger(at: last, as: UInt8.self))
        sent.setInteger(octet ^ 1, at: last)
        pair.server.receive(sent)
        #expect(pair.server.recorder.text == "whole ")
        #expect(pair.server.recorder.errors.count == 1)
        #expect(!pair.server.channel.isActive)
    }

    @Test func `a peer that requests too many key updates is disconnected`() throws {
        let pair = try Pair.open()
        let ssl = pair.client.tls.connection.ssl
        var rounds = 0
        while pair.server.channel.isActive, rounds < 10_000 {
            _ = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
            _ = SSL_do_handshake(ssl)
            guard let update = pair.client.tls.connection.takeOutput() else { break }
            pair.server.receive(update)
            rounds += 1
        }
        #expect(pair.server.recorder.errors == [.protocolViolation("too many key updates")])
        #expect(rounds > 100)
        #expect(rounds < 5_000)
    }

    @Test func `occasional key updates are accepted`() throws {
        let pair = try Pair.open()
        for _ in 1...20 {
            _ = SSL_key_update(pair.client.tls.connection.ssl, SSL_KEY_UPDATE_REQUESTED)
            pair.client.write("x")
            try pair.exchange()
            pair.server.write("y")
            try pair.exchange()
        }
        #expect(pair.server.recorder.received.readableBytes == 20)
        #expect(pair.client.recorder.received.readableBytes == 20)
    }

    // MARK: - Memory and back-pressure

    @Test func `an idle connection has empty buffers`() throws {
        let pair = try Pair.open()
        pair.client.write(String(repeating: "x", count: 100_000))
        try pair.exchange()
        for connection in [pair.client.tls.connection, pair.server.tls.connection] {
            #expect(connection.input.capacity == 0)
            #expect(connection.output.capacity == 0)
        }
    }

    @Test func `the network is read for the handshake, and later on demand`() throws {
        let counter = ReadCounter()
        let server = try End(TLSHandler(server: .testing()))
        try server.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        try server.channel.syncOptions?.setOption(.autoRead, value: false)
        let client = try End(TLSHandler(client: .testing(), serverName: "mail.kanzlei.example"))
        try server.connect()
        try client.connect()
        #expect(counter.reads == 1)
        server.receive(try client.takeSent())
        #expect(counter.reads == 2)
        client.receive(try server.takeSent())
        server.receive(try client.takeSent())
        #expect(server.recorder.isHandshakeComplete)
        let afterHandshake = counter.reads
        server.channel.read()
        #expect(counter.reads == afterHandshake + 1)
        client.write("a1 NOOP\r\n")
        var sent = try client.takeSent()
        let start = sent.readSlice(length: 9)
        server.receive(try #require(start))
        #expect(counter.reads == afterHandshake + 2)
        server.receive(sent)
        #expect(server.recorder.text == "a1 NOOP\r\n")
        #expect(counter.reads == afterHandshake + 2)
    }
}

/// Counts the reads of the network.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0

    func read(context: ChannelHandlerContext) {
        self.reads += 1
        context.read()
    }
}
