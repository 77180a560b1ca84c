import Foundation
import NIOCore
import NIOPosix
import Session

/// The message that a conversation sends.
extension ConversationConnection {
    /// Sends the file piece by piece, the next when the last is out.
    func sendMessage(_ context: ChannelHandlerContext) {
        guard let file = self.file else { return context.close(promise: nil) }
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        self.pool.submit { _ in
            let handle = try? FileHandle(forReadingFrom: file)
            loop.execute {
                guard let handle else { return bound.value.1.close(promise: nil) }
                bound.value.0.sendNext(handle, bound: bound)
            }
        }
    }

    private func sendNext(
        _ handle: FileHandle,
        bound: NIOLoopBound<(ConversationConnection, ChannelHandlerContext)>
    ) {
        let loop = bound.value.1.eventLoop
        self.pool.submit { _ in
            let data = try? handle.read(upToCount: Conversations.chunk) ?? Data()
            if data?.isEmpty ?? true { try? handle.close() }
            loop.execute { bound.value.0.read(data, handle: handle, bound: bound) }
        }
    }

    private func read(
        _ data: Data?,
        handle: FileHandle,
        bound: NIOLoopBound<(ConversationConnection, ChannelHandlerContext)>
    ) {
        let context = bound.value.1
        // A message that cannot be read is not ended: the server would file what it has.
        guard let data else { return context.close(promise: nil) }
        guard !data.isEmpty else {
            return self.perform(self.conversation.messageSent(), context: context)
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: data))).whenSuccess {
            bound.value.0.clock.octetsSent()
            bound.value.0.sendNext(handle, bound: bound)
        }
    }
}
