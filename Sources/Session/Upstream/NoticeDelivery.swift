import IMAP

package import struct NIOCore.ByteBuffer

/// A conversation that stores a notice of the gateway in an account's INBOX, unless the INBOX has it already.
///
/// The INBOX has it only if a message has exactly its Message-ID. SEARCH alone is not enough, because it matches
/// substrings of the field (RFC 9051 §6.4.4).
package struct NoticeDelivery: ServerConversation {
    package enum Outcome: Equatable, Sendable {
        /// The INBOX has the notice, from this conversation or an earlier one.
        case delivered
        /// The server refused a command or broke the protocol.
        case refused
    }

    private enum State {
        case selecting
        case searching
        case comparing
        case appending
        case finished
    }

    /// Messages whose Message-ID is compared. No other message has it by chance: a person who copies the
    /// Message-ID into other messages has already seen the notice.
    private static let maximumFound = 100

    private let messageID: ByteBuffer
    private let message: ByteBuffer
    private var sender = CommandSender()
    private var state = State.selecting
    /// UIDs that SEARCH found.
    private var found: [UInt32] = []
    /// Whether a message with exactly this Message-ID was found.
    private var isThere = false
    /// Whether the message was sent. A second continuation request is a violation.
    private var isAnnounced = false

    /// - Parameters:
    ///   - messageID: the value of the notice's Message-ID field.
    ///   - message: the whole notice.
    package init(messageID: ByteBuffer, message: ByteBuffer) {
        self.messageID = messageID
        self.message = message
    }

    package mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step {
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
            guard case .searching = self.state, self.found.count < Self.maximumFound else {
                return .wait
            }
            let numbers = String(buffer: response).split(whereSeparator: \.isWhitespace).dropFirst(
                2
            )
            self.found += numbers.prefix(Self.maximumFound).compactMap { UInt32($0) }
            return .wait
        case .numbered(_, .fetch):
            self.fetched(response)
            return .wait
        case .data, .status, .numbered:
            return .wait
        }
    }

    /// The command in flight was completed with OK.
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
            guard !self.found.isEmpty else { return self.append() }
            self.state = .comparing
            let found = SequenceSet(uids: self.found.prefix(Self.maximumFound))
            return self.send {
                $0.write(word: "UID FETCH")
                found.encode(into: &$0)
                $0.write(word: "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
            }
        case .comparing:
            return self.isThere ? self.finish(.delivered) : self.append()
        case .appending:
            return self.finish(.delivered)
        case .finished:
            return self.finish(.refused)
        }
    }

    /// Compares a fetched field, such as `Message-ID: <notice-5f…@gateway.example>`.
    private mutating func fetched(_ response: ByteBuffer) {
        guard case .comparing = self.state, let fetched = try? FetchResponse(response),
            let field = fetched.body, let messageID = Self.value(of: field)
        else { return }
        if messageID == self.messageID { self.isThere = true }
    }

    /// The value of a header field, without white space and control octets; nil if it is empty.
    private static func value(of field: ByteBuffer) -> ByteBuffer? {
        let view = field.readableBytesView
        guard let colon = view.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let value = ByteBuffer(bytes: view[(colon + 1)...].filter { $0 > 0x20 })
        return value.readableBytes == 0 ? nil : value
    }

    private mutating func append() -> Step {
        self.state = .appending
        let octets = UInt64(self.message.readableBytes)
        return self.send(announces: true) {
            $0.write(word: "APPEND INBOX")
            $0.announce(message: octets, isLiteral8: false)
        }
    }

    private mutating func send(
        announces: Bool = false,
        write: (inout CommandEncoder) -> Void
    ) -> Step {
        let first = self.sender.send(announces: announces, write: write)
        return first.map { .send([$0]) } ?? self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }
}
