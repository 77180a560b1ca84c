import IMAP
import NIOCore
import NIOTLS
import SMTP

/// Tells a client that there are too many, and closes: nothing that it sends is read.
final class OverloadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For a handshake; who takes longer is closed without a word.
    private static let timeout = TimeAmount.seconds(5)

    private let kind: Listener.Kind

    init(_ kind: Listener.Kind) {
        self.kind = kind
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.timeout) { channel.close(promise: nil) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.kind.isImplicitTLS { self.refuse(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { self.refuse(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

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
