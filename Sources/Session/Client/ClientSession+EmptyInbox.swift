import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user who has none: it is empty and read-only, and no server knows of it.
///
/// Every user has an INBOX (RFC 9051 §5.1), and many clients open it first. A user without an account, or
/// with `LOGIN/ACCOUNT` and no right on that account's INBOX, gets this one. The answers are the same
/// whether the account has an INBOX or not.
extension ClientSession {
    /// Answers a command that concerns the empty INBOX.
    /// - Returns: false where the command concerns another mailbox, or none.
    mutating func answerForEmptyInbox(_ tag: ByteBuffer, command: Command) -> Bool {
        switch command {
        case .select(let select), .examine(let select):
            self.isEmptyInboxSelected = false
            guard self.isEmptyInbox(select.mailbox) else { return false }
            self.selectEmptyInbox(tag, select: select)
        case .status(let status):
            guard self.isEmptyInbox(status.mailbox) else { return false }
            self.auditing = nil
            self.emit(EmptyInbox.status(status.items, mailbox: status.mailbox.wire).encoded)
            self.finish(tag, text: .completed("STATUS"))
        case .myRights(let mailbox):
            guard self.isEmptyInbox(mailbox) else { return false }
            self.emit(Reply.myRights(mailbox.wire, rights: EmptyInbox.rights.letters))
            self.finish(tag, text: .completed("MYRIGHTS"))
        case .subscribe(let mailbox):
            guard self.isEmptyInbox(mailbox) else { return false }
            self.finish(tag, text: .completed("SUBSCRIBE"))
        case .getQuotaRoot(let mailbox), .getACL(let mailbox):
            guard self.isEmptyInbox(mailbox) else { return false }
            self.finish(tag, text: .notPermitted)
        default:
            guard self.isEmptyInboxSelected else { return false }
            return self.answerInEmptyInbox(tag, command: command)
        }
        return true
    }

    private mutating func selectEmptyInbox(_ tag: ByteBuffer, select: Select) {
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
    private mutating func answerInEmptyInbox(_ tag: ByteBuffer, command: Command) -> Bool {
        switch command {
        case .noop: self.finish(tag, text: .completed("NOOP"))
        case .check: self.finish(tag, text: .completed("CHECK"))
        case .close, .unselect:
            self.isEmptyInboxSelected = false
            self.finish(tag, text: .completed(command == .close ? "CLOSE" : "UNSELECT"))
        // There is no message that any of these could name.
        case .fetch(let fetch): self.answerInEmptyInbox(tag, name: "FETCH", isUID: fetch.isUID)
        case .copy(let copy): self.answerInEmptyInbox(tag, name: "COPY", isUID: copy.isUID)
        case .expunge, .uidExpunge, .store, .move: self.finish(tag, text: .notPermitted)
        case .search(let search):
            self.emitNoResults(
                tag,
                line: "* SEARCH\r\n",
                returns: search.returns,
                isUID: search.isUID
            )
            self.finish(tag, text: .completed("SEARCH"))
        case .sort(let sort):
            self.emitNoResults(tag, line: "* SORT\r\n", returns: sort.returns, isUID: sort.isUID)
            self.finish(tag, text: .completed("SORT"))
        case .thread:
            self.emit(ByteBuffer(staticString: "* THREAD\r\n"))
            self.finish(tag, text: .completed("THREAD"))
        case .cancelUpdate: self.finish(tag, text: .completed("CANCELUPDATE"))
        default: return false
        }
        return true
    }

    /// UIDs that are not there are passed over; a message number that is not there is an error (RFC 9051 §6.4.9).
    private mutating func answerInEmptyInbox(_ tag: ByteBuffer, name: StaticText, isUID: Bool) {
        self.finish(tag, text: isUID ? .completed(name) : .noSuchMessage)
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
