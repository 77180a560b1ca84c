import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The INBOX of a user without a mailbox of their own. Every client expects an INBOX (RFC 9051 §5.1), so the gateway
/// itself presents an empty, read-only one.
enum EmptyInbox {
    static let uidValidity: UInt32 = 1
    /// No message ever gets this UID.
    static let uidNext: UInt32 = 1
    static let rights: Rights = [.lookup, .read]

    /// The answer to STATUS. It omits APPENDLIMIT and MAILBOXID, which only a server can report.
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
    /// Whether a client's mailbox name means this session's empty INBOX.
    mutating func isEmptyInbox(_ mailbox: ClientMailbox) -> Bool {
        mailbox.name?.octets == MailboxName.inbox && self.hasEmptyInbox()
    }

    /// Whether this session's INBOX is the empty one: the user has no personal account, or no right to see its INBOX.
    mutating func hasEmptyInbox() -> Bool {
        guard let inbox = FolderPath(octets: MailboxName.inbox) else { return false }
        guard let account = self.namespace.personal else { return true }
        return !self.access(to: account).rights(in: inbox).contains(.lookup)
    }
}
