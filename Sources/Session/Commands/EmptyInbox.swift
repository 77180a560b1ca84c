import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user who has none: it is empty and read-only, and no server knows of it.
enum EmptyInbox {
    static let uidValidity: UInt32 = 1
    /// No message ever gets it.
    static let uidNext: UInt32 = 1
    static let rights: Rights = [.lookup, .read]

    /// The counts. Items that only a server can tell are left out.
    static func status(_ items: [StatusItem], mailbox: ByteBuffer) -> StatusResponse {
        StatusResponse(
            mailbox: mailbox,
            items: items.compactMap { item in
                switch item {
                case .messages, .recent, .unseen, .deleted, .size, .highestModSeq:
                    (item, .number(0))
                case .uidNext: (item, .number(UInt64(Self.uidNext)))
                case .uidValidity: (item, .number(UInt64(Self.uidValidity)))
                case .appendLimit, .mailboxID: nil
                }
            }
        )
    }
}

extension CommandContext {
    mutating func isEmptyInbox(_ mailbox: ClientMailbox) -> Bool {
        mailbox.name?.octets == MailboxName.inbox && self.hasEmptyInbox()
    }

    /// Whether this session's INBOX is the empty one.
    mutating func hasEmptyInbox() -> Bool {
        guard let inbox = FolderPath(octets: MailboxName.inbox) else { return false }
        guard let account = self.namespace.personal else { return true }
        return !self.access(to: account).rights(in: inbox).contains(.lookup)
    }
}
