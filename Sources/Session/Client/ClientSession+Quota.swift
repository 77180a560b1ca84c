import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The QUOTA commands (RFC 9208), for accounts that the user owns. The quota of others is not
/// shown.
extension ClientSession {
    /// GETQUOTA (RFC 9208 §4.1.1) asks the server of the personal account, because a quota root
    /// names no mailbox.
    mutating func getQuota(_ tagged: TaggedCommand, root: ByteBuffer) {
        guard let account = self.namespace.personal, self.access(to: account).isOwner else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        guard self.prepare(account, for: tagged) else { return }
        self.forward(tagged, to: account) {
            $0.write(word: "GETQUOTA")
            $0.write(astring: root)
        }
    }

    /// GETQUOTAROOT (RFC 9208 §4.1.2) needs ownership of the mailbox's account.
    mutating func getQuotaRoot(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard !self.isEmptyInbox(mailbox) else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        if case .folder(let account, _, _) = self.resolve(mailbox),
            !self.access(to: account).isOwner
        {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        self.onNamed(tagged, mailbox: mailbox, rights: .read) { session, named in
            session.forward(tagged, to: named.account) {
                $0.mailbox = mailbox.wire
            } encode: {
                $0.write(word: "GETQUOTAROOT")
                $0.write(mailbox: named.name)
            }
        }
    }
}
