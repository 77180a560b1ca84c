import struct NIOCore.ByteBuffer

/// The messages of an APPEND, which are streamed.
extension CommandReader {
    /// Whether the announced literal is a message: in an APPEND, every literal except the mailbox
    /// name.
    func isMessage(endingAt end: Int) -> Bool {
        if self.isBehindMessage { return true }
        var cursor = Cursor(self.buffer)
        _ = cursor.takeRun(where: \.isTagChar)
        guard cursor.take(" "), cursor.take(argumentsOf: "APPEND"), cursor.offset <= end else {
            return false
        }
        return cursor.peek() != UInt8(ascii: "{") || self.lineStart > 0
    }

    /// Ends the head of a message and waits for the session's decision.
    mutating func announce(_ literal: MessageLiteral, end: Int) -> Event {
        var head = self.buffer.readSlice(length: end) ?? ByteBuffer()
        self.buffer.moveReaderIndex(forwardBy: 2)
        Self.removeAnnouncement(&head)
        self.pendingLiteral = literal
        self.state = .decidingMessage
        self.lineStart = 0
        self.scan = LineScan()
        return .message(head: head, literal)
    }

    private static func removeAnnouncement(_ head: inout ByteBuffer) {
        guard let open = head.readableBytesView.lastIndex(of: UInt8(ascii: "{")) else { return }
        var end = open
        if end > head.readerIndex,
            head.getInteger(at: end - 1) == UInt8(ascii: "~")
        {
            end -= 1
        }
        head.moveWriterIndex(to: end)
    }

    /// The next octets of the current message, or the line after it.
    mutating func nextMessageOctets(_ remaining: UInt64) throws(SyntaxError) -> Event? {
        guard remaining > 0 else {
            self.state = .line
            return try self.nextLine()
        }
        let count = Int(min(remaining, UInt64(self.buffer.readableBytes)))
        guard count > 0, let octets = self.buffer.readSlice(length: count) else { return nil }
        self.state = .message(remaining: remaining - UInt64(count))
        return .messageOctets(octets)
    }
}
