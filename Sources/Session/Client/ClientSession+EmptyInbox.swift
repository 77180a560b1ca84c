import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user who has none: it is empty and read-only, and no server knows of it.
///
/// Every user has an INBOX (RFC 9051 §5.1), and many clients open it first. A user without an account, or
/// with `LOGIN/ACCOUNT` and no right on that account's INBOX, gets this one. The answers are the same
/// whether the account has an INBOX or not.
extension ClientSession {
    private static let emptyInboxUIDValidity: UInt32 = 1
    /// No message ever gets it.
    private static let emptyInboxUIDNext: UInt32 = 1
    static let emptyInboxRights: Rights = [.lookup, .read]

    /// Whether this session's INBOX is the empty one.
    mutating func hasEmptyInbox() -> Bool {
        guard let inbox = FolderPath(octets: MailboxName.inbox) else { return false }
        guard let account = self.namespace.personal else { return true }
        return !self.access(to: account).rights(in: inbox).contains(.lookup)
    }

    mutating func isEmptyInbox(_ mailbox: ClientMailbox) -> Bool {
        mailbox.name?.octets == MailboxName.inbox && self.hasEmptyInbox()
    }

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
            self.emit(Self.emptyInboxStatus(status.items, mailbox: status.mailbox.wire).encoded)
            self.finish(tag, text: .completed("STATUS"))
        case .myRights(let mailbox):
            guard self.isEmptyInbox(mailbox) else { return false }
            self.emit(Reply.myRights(mailbox.wire, rights: Self.emptyInboxRights.letters))
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
        self.emit(Reply.untagged(.status(.uidValidity(Self.emptyInboxUIDValidity))))
        self.emit(Reply.untagged(.status(.uidNext(Self.emptyInboxUIDNext))))
        if select.condStore || select.resync != nil {
            self.emit(Reply.untagged(.status(.noModSeq)))
        }
        self.finish(tag, text: .selected(isReadOnly: true))
    }

    /// The counts of the empty INBOX. Items that only a server can tell are left out.
    static func emptyInboxStatus(_ items: [StatusItem], mailbox: ByteBuffer) -> StatusResponse {
        StatusResponse(
            mailbox: mailbox,
            items: items.compactMap { item in
                switch item {
                case .messages, .recent, .unseen, .deleted, .size, .highestModSeq:
                    (item, .number(0))
                case .uidNext: (item, .number(UInt64(Self.emptyInboxUIDNext)))
                case .uidValidity: (item, .number(UInt64(Self.emptyInboxUIDValidity)))
                case .appendLimit, .mailboxID: nil
                }
            }
        )
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
