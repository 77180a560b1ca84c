import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user without one: empty, read-only, and unknown to every server.
///
/// Every user has an INBOX (RFC 9051 §5.1), and many clients open it first. This INBOX is for users
/// without an account, and for users of `LOGIN/ACCOUNT` without a right on the account's INBOX. The
/// answers do not reveal whether the account has an INBOX.
extension ClientSession {
    /// Answers SELECT and EXAMINE. The log gets no event, because no account is involved.
    mutating func selectEmptyInbox(_ tag: ByteBuffer, select: Select) {
        self.auditing = nil
        self.leaveSelected(announce: false)
        self.isEmptyInboxSelected = true
        self.emit(Reply.flags([]))
        self.emit(ByteBuffer(staticString: "* 0 EXISTS\r\n* 0 RECENT\r\n"))
        self.emit(Reply.untagged(.status(.permanentFlags([]))))
        self.emit(Reply.untagged(.status(.uidValidity(EmptyInbox.uidValidity))))
        self.emit(Reply.untagged(.status(.uidNext(EmptyInbox.uidNext))))
        if select.condStore || select.resync != nil {
            self.emit(Reply.untagged(.status(.noModSeq)))
        }
        self.finish(tag, text: .selected(isReadOnly: true))
    }

    /// Answers a command on the selected mailbox while that is the empty INBOX.
    mutating func answerInEmptyInbox(_ tagged: TaggedCommand, answer: EmptyInboxAnswer) {
        var text = ReplyText.completed(tagged.traits.name)
        switch answer {
        case .completed: break
        case .left: self.isEmptyInboxSelected = false
        case .noMessage(let isUID): if !isUID { text = .noSuchMessage }
        case .notPermitted: text = .notPermitted
        case .noResults(let line, let returns, let isUID):
            self.emitNoResults(tagged.tag, line: line, returns: returns, isUID: isUID)
        }
        self.finish(tagged.tag, text: text)
    }

    /// Writes an empty result of SEARCH, SORT or THREAD.
    ///
    /// - Parameters:
    ///   - line: the untagged response without RETURN.
    ///   - returns: the return options; nil without RETURN.
    private mutating func emitNoResults(
        _ tag: ByteBuffer,
        line: StaticString,
        returns: [SearchReturn]?,
        isUID: Bool
    ) {
        guard let returns else { return self.emit(ByteBuffer(staticString: line)) }
        // With SAVE alone there is no ESEARCH response (RFC 9051 §6.4.4).
        guard returns != [.save] else { return }
        var response = Reply.esearchHead(tag: tag)
        if isUID { response.writeStaticString(" UID") }
        if returns.contains(.count) { response.writeStaticString(" COUNT 0") }
        response.writeStaticString("\r\n")
        self.emit(response)
    }
}
