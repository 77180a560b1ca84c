import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Quota of one's own account.
extension ClientSession {
    mutating func getQuota(
        _ tag: ByteBuffer,
        root: ByteBuffer,
        command: Command,
        requiring capabilities: [String]
    ) {
        guard let account = self.namespace.personal, self.access(to: account).isOwner else {
            return self.finish(tag, text: .notPermitted)
        }
        guard self.prepare(account, tag: tag, command: command, requiring: capabilities) else {
            return
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: "GETQUOTA")
        encoder.write(astring: root)
        self.forward(tag, account: account, name: "GETQUOTA", encoder: encoder) {
            $0.expected = .quota
        }
    }

    mutating func getQuotaRoot(
        _ tag: ByteBuffer,
        mailbox: ClientMailbox,
        command: Command,
        requiring capabilities: [String]
    ) {
        if case .folder(let account, _, _) = self.resolve(mailbox),
            !self.access(to: account).isOwner
        {
            return self.finish(tag, text: .notPermitted)
        }
        self.onNamed(
            tag,
            mailbox: mailbox,
            rights: .read,
            command: command,
            requiring: capabilities
        ) {
            session,
            account,
            _,
            name in
            var encoder = session.encoder(for: account)
            encoder.write(word: "GETQUOTAROOT")
            encoder.write(mailbox: name)
            session.forward(tag, account: account, name: "GETQUOTAROOT", encoder: encoder) {
                $0.expected = .quota
                $0.mailbox = mailbox.wire
                $0.repeatable = command
            }
        }
    }
}
