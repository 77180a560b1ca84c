import IMAP

package import struct NIOCore.ByteBuffer

/// The conversation with an account's server that puts a message of the gateway into the INBOX, once.
package struct NoticeDelivery: ServerConversation {
    package enum Outcome: Equatable, Sendable {
        /// It is there, now or from before.
        case delivered
        case refused
    }

    private enum State {
        case selecting
        case searching
        case appending
        case finished
    }

    private let messageID: ByteBuffer
    private let message: ByteBuffer
    private var sender = CommandSender()
    private var state = State.selecting
    private var isThere = false
    private var isAnnounced = false

    /// - Parameters:
    ///   - messageID: the value of its Message-ID.
    ///   - message: the whole message.
    package init(messageID: ByteBuffer, message: ByteBuffer) {
        self.messageID = messageID
        self.message = message
    }

    package mutating func begin(_ profile: UpstreamProfile, _ tags: UpstreamTags) -> Step {
        self.sender = CommandSender(tags)
        return self.send { $0.write(word: "EXAMINE INBOX") }
    }

    package mutating func responseReceived(_ response: ByteBuffer) -> Step {
        guard let head = try? ResponseHead(response) else { return self.finish(.refused) }
        switch head {
        case .tagged(let tag, let condition, _):
            guard tag == self.sender.tag, condition == .ok else { return self.finish(.refused) }
            return self.completed()
        case .continuation:
            if let segment = self.sender.next() { return .send([segment]) }
            guard case .appending = self.state, !self.isAnnounced else {
                return self.finish(.refused)
            }
            self.isAnnounced = true
            return .send([self.message, ByteBuffer(staticString: "\r\n")])
        case .data(.search):
            let words = String(buffer: response).split(whereSeparator: \.isWhitespace)
            self.isThere = self.isThere || words.count > 2
            return .wait
        case .data, .status, .numbered:
            return .wait
        }
    }

    private mutating func completed() -> Step {
        switch self.state {
        case .selecting:
            self.state = .searching
            let messageID = self.messageID
            return self.send {
                $0.write(word: "UID SEARCH HEADER Message-ID")
                $0.write(string: messageID)
            }
        case .searching:
            guard !self.isThere else { return self.finish(.delivered) }
            self.state = .appending
            let octets = UInt64(self.message.readableBytes)
            return self.send(announces: true) {
                $0.write(word: "APPEND INBOX")
                $0.announce(octets: octets, isLiteral8: false)
            }
        case .appending:
            return self.finish(.delivered)
        case .finished:
            return self.finish(.refused)
        }
    }

    private mutating func send(
        announces: Bool = false,
        _ write: (inout CommandEncoder) -> Void
    ) -> Step {
        let first = self.sender.send(announces: announces, write)
        return first.map { .send([$0]) } ?? self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }
}
