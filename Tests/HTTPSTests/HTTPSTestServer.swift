import Cryptography
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TLS

/// Texts that several threads add.
final class TextLog: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { self.texts.withLock { $0 } }

    func add(_ text: String) {
        self.texts.withLock { $0.append(text) }
    }
}

/// A server by TLS on loopback that answers each request with the same octets.
final class HTTPSTestServer: Sendable {
    /// The authority of its certificate, which is for `localhost` alone.
    let caFile: String
    let requests = TextLog()
    let connections = TextLog()
    private let folder: URL
    private let channel: any Channel

    var url: String { "https://localhost:\(self.channel.localAddress?.port ?? 0)/path" }

    /// - Parameter closes: whether the connection ends behind the answer.
    init(answer: String, closes: Bool) async throws {
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("https-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        let issued = try DevelopmentAuthority(lifetime: 3_600).issue(
            authorityName: "An authority",
            names: ["localhost"]
        )
        var paths: [String] = []
        for text in [issued.authority, issued.certificate, issued.key] {
            let file = self.folder.appendingPathComponent("\(paths.count).pem")
            try Data(text.utf8).write(to: file)
            paths.append(file.path)
        }
        self.caFile = paths[0]
        let files = TLSCertificateFiles(certificate: paths[1], key: paths[2])
        let context = try TLSServerContext(
            TLSServerConfiguration(
                certificates: [files],
                alpn: ["http/1.1"],
                sessionContext: "test"
            )
        )
        let (requests, connections) = (self.requests, self.connections)
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.add("")
                    try channel.pipeline.syncOperations.addHandlers(
                        TLSHandler(server: context),
                        FixedAnswerHandler(answer, closes: closes, requests: requests)
                    )
                }
            }
            .bind(host: "localhost", port: 0).get()
    }

    func stop() async {
        try? await self.channel.close().get()
        try? FileManager.default.removeItem(at: self.folder)
    }
}

/// Answers each request when it is whole.
private final class FixedAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String
    private let closes: Bool
    private let requests: TextLog
    private var received = ""

    init(_ answer: String, closes: Bool, requests: TextLog) {
        self.answer = answer
        self.closes = closes
        self.requests = requests
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.received += String(buffer: self.unwrapInboundIn(data))
        guard let head = self.received.range(of: "\r\n\r\n") else { return }
        let length = self.received[..<head.lowerBound].split(separator: "\r\n")
            .first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst(16)) }
        guard self.received[head.upperBound...].utf8.count >= length ?? 0 else { return }
        self.requests.add(self.received)
        self.received = ""
        let octets = self.wrapOutboundOut(ByteBuffer(string: self.answer))
        context.writeAndFlush(octets, promise: nil)
        if self.closes { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
