import IMAP
import NIOCore
import NIOTLS
import SMTP

/// Tells a client that there are too many connections, and closes. Nothing that the client sends is
/// read.
final class OverloadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The time for a TLS handshake; a slower client is closed without a response.
    private static let timeout = TimeAmount.seconds(5)

    private let kind: Listener.Kind

    init(_ kind: Listener.Kind) {
        self.kind = kind
    }

    /// Starts the timeout.
    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.timeout) { channel.close(promise: nil) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.kind.isImplicitTLS { self.refuse(context) }
    }

    /// With implicit TLS the response needs the end of the handshake.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { self.refuse(context) }
    }

    /// Drops what the client sends.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    /// A failed handshake, or an I/O error: closes without a response.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Sends `BYE` (RFC 9051 §7.1.5) or `421` (RFC 5321 §3.8), and closes.
    private func refuse(_ context: ChannelHandlerContext) {
        let farewell =
            switch self.kind {
            case .imaps, .imap: Reply.untagged(.bye(.overloaded))
            case .submissions, .submission: SubmissionReply.tooManyConnections.encoded
            }
        let channel = context.channel
        context.writeAndFlush(self.wrapOutboundOut(farewell)).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}
