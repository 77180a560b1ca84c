import Foundation
import NIOCore
import Session

/// A message in a file, and the thread that reads it.
struct OutgoingMessage: Sendable {
    let file: URL
    let writer: BackgroundWriter
}

/// The message that a conversation sends.
extension ConversationConnection {
    /// Sends the file piece by piece, the next when the last is out.
    func sendMessage() {
        guard let message = self.message, let loop = self.channel?.loop else {
            return self.messageFailed()
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        message.writer.submit {
            let handle = try? FileHandle(forReadingFrom: message.file)
            loop.execute {
                guard let handle else { return bound.value.messageFailed() }
                bound.value.sendNext(handle, bound: bound)
            }
        }
    }

    private func sendNext(_ handle: FileHandle, bound: NIOLoopBound<ConversationConnection>) {
        guard let message = self.message, let loop = self.channel?.loop else { return }
        message.writer.submit {
            let data = try? handle.read(upToCount: Conversations.chunk) ?? Data()
            if data?.isEmpty ?? true { try? handle.close() }
            loop.execute { bound.value.read(data, handle: handle, bound: bound) }
        }
    }

    private func read(
        _ data: Data?,
        handle: FileHandle,
        bound: NIOLoopBound<ConversationConnection>
    ) {
        // A message that cannot be read is not ended: the server would file what it has.
        guard let data else { return self.messageFailed() }
        guard !data.isEmpty else { return self.perform(self.conversation.messageSent()) }
        self.channel?.send(ByteBuffer(bytes: data)) { bound.value.sendNext(handle, bound: bound) }
    }
}
