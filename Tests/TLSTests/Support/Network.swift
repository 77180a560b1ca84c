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

/// Sends back what it gets, and closes when its peer has said goodbye.
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

    /// A client that does not read is not read from.
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

/// A server on a port of its own, with an ``Echo`` for each client.
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

/// `openssl s_client`, a peer that is not ours.
struct ForeignClient {
    /// What it says on both of its outputs until it ends.
    /// - Parameter lines: what is typed, with a pause before each and after the last.
    static func run(_ arguments: [String], port: Int, lines: [String]) async throws -> String {
        let typed = lines.map { "sleep 1; printf '%s\\n' '\($0)';" }.joined(separator: " ")
        let words = arguments.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            { \(typed) sleep 2; } |
            timeout -s KILL 20 openssl s_client -connect 127.0.0.1:\(port) \(words) 2>&1
            """
        // A thread of its own: the few of the concurrency pool are needed by the server's side.
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.output(of: script)) }
        }
    }

    private static func output(of script: String) -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        do { try process.run() } catch { return "\(error)" }
        let octets = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: octets, as: UTF8.self)
    }
}
