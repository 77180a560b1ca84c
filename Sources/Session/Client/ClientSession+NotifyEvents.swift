import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Reports events of watched mailboxes to the client (RFC 5465 §5).
extension ClientSession {
    /// Counts of a mailbox have changed. The client gets a STATUS response if it watches the
    /// mailbox and has `l` and `r` there.
    mutating func countsChanged(
        _ status: StatusResponse,
        folder: FolderPath,
        account: AccountID
    ) {
        guard let mailbox = self.watchedName(of: folder, in: account, needs: [.lookup, .read])
        else { return }
        var status = status
        status.mailbox = mailbox
        let notification = FolderNotification(
            folder: folder,
            needs: [.lookup, .read],
            line: status.encoded
        )
        self.tell(notification, of: account)
    }

    /// A mailbox was created, deleted or renamed, or its subscription has changed. The client gets
    /// a LIST response if it watches the mailbox and has `l` there.
    mutating func mailboxChanged(_ list: ListResponse, from account: AccountID) {
        guard let names = self.upstreams[account]?.names else { return }
        if let oldName = list.oldName, let folder = names.folder(named: oldName) {
            let attributes = [ByteBuffer(staticString: "\\NonExistent")]
            self.tellMailbox(folder, in: account, attributes: attributes)
        }
        guard let folder = names.folder(named: list.mailbox) else { return }
        let isOwn = self.namespace.personal == account && self.onlyAccount == nil
        let isPersonal = self.namespace.view(of: account)?.isPersonal ?? false
        let attributes = list.attributes.filter { attribute in
            ListWriter.passes(attribute, isPersonal: isPersonal)
                || isOwn && attribute.equals(word: "\\Subscribed")
        }
        self.tellMailbox(folder, in: account, attributes: attributes)
    }

    /// Reports one name of a mailbox.
    private mutating func tellMailbox(
        _ folder: FolderPath,
        in account: AccountID,
        attributes: [ByteBuffer]
    ) {
        guard let mailbox = self.watchedName(of: folder, in: account, needs: .lookup) else {
            return
        }
        let list = ListResponse(
            attributes: attributes,
            delimiter: Namespace.delimiter,
            mailbox: mailbox
        )
        let line = list.encoded(isLsub: false)
        self.tell(FolderNotification(folder: folder, needs: .lookup, line: line), of: account)
    }

    /// The client's name of a folder in wire octets; nil if the client does not watch the folder or
    /// lacks the rights.
    private mutating func watchedName(
        of folder: FolderPath,
        in account: AccountID,
        needs rights: Rights
    ) -> ByteBuffer? {
        guard let watching = self.watching, let view = self.namespace.view(of: account),
            self.access(to: account).rights(in: folder).contains(rights),
            !watching.isUnsubscribed(folder, in: view)
        else { return nil }
        let name = self.namespace.name(of: folder, in: view)
        guard !view.isPersonal || !Namespace.isReserved(name) else { return nil }
        return ByteBuffer(bytes: ModifiedUTF7.encode(name))
    }

    /// Writes a line of an event. Ends watching if too many lines wait.
    mutating func tell(_ line: ByteBuffer) {
        guard self.held.count < Self.maximumHeld else { return self.stopWatching() }
        self.emit(line)
    }
}
