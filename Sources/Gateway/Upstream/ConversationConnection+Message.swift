import Foundation
import NIOCore
import Session

/// A message in a file, and the thread that reads the file.
struct OutgoingMessage: Sendable {
    let file: URL
    /// Reads the file; shared with other files, so each read is short.
    let writer: BackgroundWriter
    /// Asked before the last line end, with which the server stores the message. It calls its
    /// parameter on the connection's event loop; false ends the connection.
    var confirm: (@Sendable (@escaping @Sendable (Bool) -> Void) -> Void)?
}

/// Streaming of the message that a conversation appends.
extension ConversationConnection {
    /// Sends the file in chunks. Each chunk is read after the previous one was written to the
    /// socket, so memory stays bounded.
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

    /// Reads the next chunk on the background thread.
    private func sendNext(_ handle: FileHandle, bound: NIOLoopBound<ConversationConnection>) {
        guard let message = self.message, let loop = self.channel?.loop else { return }
        message.writer.submit {
            let data = try? handle.read(upToCount: Conversations.chunk) ?? Data()
            if data?.isEmpty ?? true { try? handle.close() }
            loop.execute { bound.value.read(data, handle: handle, bound: bound) }
        }
    }

    /// - Parameter data: the chunk; empty at the end of the file, nil if reading failed.
    private func read(
        _ data: Data?,
        handle: FileHandle,
        bound: NIOLoopBound<ConversationConnection>
    ) {
        // Do not complete the literal after a read error: the server would store a truncated message.
        guard let data else { return self.messageFailed() }
        guard !data.isEmpty else { return self.completeMessage(bound) }
        self.channel?.send(ByteBuffer(bytes: data)) { bound.value.sendNext(handle, bound: bound) }
    }

    /// All octets are sent: sends the end of the command if that is still permitted.
    private func completeMessage(_ bound: NIOLoopBound<ConversationConnection>) {
        guard let confirm = self.message?.confirm else {
            return self.perform(self.conversation.messageSent())
        }
        confirm { isPermitted in
            let connection = bound.value
            guard isPermitted, connection.channel != nil else { return connection.messageFailed() }
            connection.perform(connection.conversation.messageSent())
        }
    }
}
