package import IMAP

package import struct NIOCore.ByteBuffer

extension UpstreamLogin: ServerLogin {
    package typealias Reader = WholeResponseReader
    package typealias Profile = UpstreamProfile

    /// A server may have untagged responses for its user behind any answer.
    package static var allowsOctetsBehindAnswer: Bool { true }

    package mutating func answerReceived(_ answer: ByteBuffer, isLast: Bool) -> [Action] {
        self.responseReceived(answer, isLast: isLast)
    }
}

extension WholeResponseReader: AnswerReader {
    package mutating func nextAnswer() throws(LoginViolation) -> ByteBuffer? {
        do {
            return try self.next()
        } catch {
            throw .unreadable(error.reason.explanation, isTooLong: error.reason == .lineTooLong)
        }
    }

    package var beginsGreeting: Bool {
        self.unread.readableBytesView.starts(with: "* OK".utf8)
    }
}
