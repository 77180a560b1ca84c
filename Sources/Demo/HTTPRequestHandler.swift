import Foundation
import NIOCore
import NIOHTTP1

/// A channel handler that answers the requests of one connection in order.
final class HTTPRequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    /// Answers a request: path with query, `Authorization` field, body.
    typealias Answering = @Sendable (String, String?, Data) -> HTTPAnswer

    private let answer: Answering
    private var head: HTTPRequestHead?
    private var body = Data()

    init(_ answer: @escaping Answering) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = Data()
        case .body(let octets):
            self.body.append(contentsOf: octets.readableBytesView)
        case .end:
            self.respond(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(_ context: ChannelHandlerContext) {
        guard let head = self.head else { return }
        let answer = self.answer(head.uri, head.headers.first(name: "Authorization"), self.body)
        var headers = HTTPHeaders(answer.headers.map { ($0.key, $0.value) })
        headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
        headers.add(name: "Content-Type", value: "application/json; charset=utf-8")
        let response = HTTPResponseHead(
            version: head.version,
            status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers
        )
        context.write(self.wrapOutboundOut(.head(response)), promise: nil)
        let octets = ByteBuffer(string: answer.body)
        context.write(self.wrapOutboundOut(.body(.byteBuffer(octets))), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        if !head.isKeepAlive { context.close(promise: nil) }
    }
}
