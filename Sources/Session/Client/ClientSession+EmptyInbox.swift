import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user who has none: it is empty and read-only, and no server knows of it.
///
/// Every user has an INBOX (RFC 9051 §5.1), and many clients open it first. A user without an account, or
/// with `LOGIN/ACCOUNT` and no right on that account's INBOX, gets this one. The answers are the same
/// whether the account has an INBOX or not.
extension ClientSession {
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

    /// A command on the selected mailbox, which is the empty INBOX.
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

    private mutating func emitNoResults(
        _ tag: ByteBuffer,
        line: StaticString,
        returns: [SearchReturn]?,
        isUID: Bool
    ) {
        guard let returns else { return self.emit(ByteBuffer(staticString: line)) }
        // RFC 9051 §6.4.4: with SAVE alone there is no ESEARCH response.
        guard returns != [.save] else { return }
        var response = Reply.esearchHead(tag: tag)
        if isUID { response.writeStaticString(" UID") }
        if returns.contains(.count) { response.writeStaticString(" COUNT 0") }
        response.writeStaticString("\r\n")
        self.emit(response)
    }
}
