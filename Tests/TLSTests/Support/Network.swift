import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TLS

/// The errors of a server's connections.
final class ErrorLog: Sendable {
    private let entries = Mutex<[TLSError]>([])

    var errors: [TLSError] { self.entries.withLock { $0 } }

    func append(_ error: TLSError) {
        self.entries.withLock { $0.append(error) }
    }
}

/// Echoes octets, and closes after the peer's close_notify.
final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: ErrorLog

    init(_ log: ErrorLog) {
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    /// A client that does not read gets back-pressure.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { self.log.append(error) }
    }
}

/// A server on its own port, with an ``Echo`` for each client.
struct EchoServer {
    let log = ErrorLog()
    let port: Int
    private let channel: any Channel

    struct NoPort: Error {}

    init(_ context: TLSServerContext) async throws {
        let log = self.log
        self.channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSHandler(server: context), Echo(log),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        guard let port = self.channel.localAddress?.port else { throw NoPort() }
        self.port = port
    }

    func stop() async throws {
        try await self.channel.close()
    }
}

/// `openssl s_client`: a peer with another implementation.
struct ForeignClient {
    /// A line of input, and the output that must precede the next line.
    struct Line {
        var text: String
        var answer: String
    }

    /// The output of both streams until the process ends. Its input ends after the last answer.
    static func run(_ arguments: [String], port: Int, lines: [Line]) async throws -> String {
        // A separate thread: the server needs the few threads of the concurrency pool.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let words =
                    ["-s", "KILL", "60", "openssl", "s_client", "-connect", "127.0.0.1:\(port)"]
                continuation.resume(returning: Self.talk(words + arguments, lines))
            }
        }
    }

    private static func talk(_ words: [String], _ lines: [Line]) -> String {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = words
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        do { try process.run() } catch { return "\(error)" }
        var said = ""
        for line in lines {
            try? input.fileHandleForWriting.write(contentsOf: Data((line.text + "\n").utf8))
            while !said.contains(line.answer) {
                let octets = output.fileHandleForReading.availableData
                guard !octets.isEmpty else { break }
                said += String(decoding: octets, as: UTF8.self)
            }
        }
        try? input.fileHandleForWriting.close()
        let rest = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return said + String(decoding: rest, as: UTF8.self)
    }
}
