package import IMAP

package import struct NIOCore.ByteBuffer

extension UpstreamLogin: ServerLogin {
    package typealias Reader = WholeResponseReader
    package typealias Profile = UpstreamProfile

    /// An IMAP server may send untagged responses at any time (RFC 9051 §7).
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

    /// `* OK` begins the greeting of a server that requires a login (RFC 9051 §7.1.1).
    package var beginsGreeting: Bool {
        self.unread.readableBytesView.starts(with: "* OK".utf8)
    }
}
