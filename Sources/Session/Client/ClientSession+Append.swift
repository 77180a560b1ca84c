package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// APPEND (RFC 9051 §6.3.12).
extension ClientSession {
    /// The account whose server receives the message that the client sends; nil outside of APPEND.
    package var messageDestination: AccountID? {
        guard case .appending(let appending) = self.running else { return nil }
        return appending.account
    }

    /// The client announced a message literal of APPEND: the first one, or a further one of
    /// MULTIAPPEND (RFC 3502).
    /// - Parameters:
    ///   - head: the octets before the literal; for the first message they contain the tag and the
    ///     mailbox.
    mutating func messageAnnounced(_ head: ByteBuffer, literal: CommandReader.MessageLiteral) {
        if case .appending(let appending) = self.running {
            return appending.furtherMessageAnnounced(head, literal: literal, in: &self)
        }
        self.commandNumber += 1
        switch CommandParser.parseAppendHead(first: head) {
        case .malformed(let tag, let error):
            self.refuseMessage(tag, text: ReplyText(error))
            self.strike()
        case .head(let tag, let head):
            self.append(tag, message: Appending.Message(head: head, literal: literal))
        }
    }

    /// Answers the command, and lets the reader discard the literal and the rest of the command.
    private mutating func refuseMessage(_ tag: ByteBuffer?, text: ReplyText) {
        self.answer(tag, text: text)
        self.reader.refuseMessage()
    }

    /// Checks `l` and `i` on the mailbox (RFC 4314 §4) before an octet of the message is accepted.
    private mutating func append(_ tag: ByteBuffer, message: Appending.Message) {
        guard self.user != nil else { return self.refuseMessage(tag, text: .badState) }
        let mailbox = message.head.mailbox
        self.auditBegan(.always("append", of: mailbox))
        switch self.require([.insert, .lookup], on: mailbox) {
        case .failure(let refusal):
            self.refuseMessage(
                tag,
                text: self.isEmptyInbox(mailbox) ? .notPermitted : refusal.text
            )
        case .success(let (account, folder, _)):
            let appending = Appending(tag: tag, message: message, to: folder, in: account)
            self.running = .appending(appending)
            appending.upstreamReady(in: &self)
        }
    }
}
