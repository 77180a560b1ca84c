import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Commands on a mailbox that they name.
extension ClientSession {
    /// STATUS (RFC 9051 §6.3.11) needs `l` and `r`. Items that the mailbox's server lacks are
    /// omitted, or refused if there are no others.
    mutating func status(_ tagged: TaggedCommand, status: Status) {
        guard !self.isEmptyInbox(status.mailbox) else {
            self.auditing = nil
            self.emit(EmptyInbox.status(status.items, mailbox: status.mailbox.wire).encoded)
            return self.finish(tagged.tag, text: .completed("STATUS"))
        }
        self.onNamed(tagged, mailbox: status.mailbox, rights: .read) { session, named in
            let asked = session.items(of: status, in: named.account)
            guard !asked.items.isEmpty else {
                let lacking = status.items.lazy.compactMap(\.requiredCapability).first
                return session.finish(
                    tagged.tag,
                    text: lacking.map(ReplyText.lacking) ?? .cannotOnThisServer
                )
            }
            let tellsNoModSeq = session.tellsNoModSeq(on: status, in: named.account)
            session.forward(tagged, to: named.account) {
                $0.statusItems = tellsNoModSeq ? status.items : nil
                $0.mailbox = status.mailbox.wire
                $0.folder = named.folder
            } encode: {
                asked.encode(into: &$0, mailbox: named.name)
            }
        }
    }

    /// DELETE (RFC 9051 §6.3.5) needs `x` on the folder and on everything below it, whether or not
    /// such folders exist, because some servers delete them too.
    mutating func delete(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        if mailbox.name?.octets.elementsEqual("INBOX".utf8) ?? false {
            return self.finish(tagged.tag, text: .cannotChangeInbox)
        }
        if case .success(let (account, folder, _)) = self.require(.deleteMailbox, on: mailbox) {
            guard self.access(to: account).mayDelete(folder) else {
                return self.finish(tagged.tag, text: .notPermitted)
            }
            // If the account's folders have the prefix `INBOX.`, all of them lie below INBOX on the
            // server.
            guard !folder.isInbox else { return self.finish(tagged.tag, text: .cannotChangeInbox) }
        }
        self.onNamed(tagged, mailbox: mailbox, rights: .deleteMailbox) { session, named in
            session.forward(tagged, to: named.account) {
                $0.outcome = .foldersChanged
            } encode: {
                $0.write(word: "DELETE")
                $0.write(mailbox: named.name)
            }
        }
    }

    /// A mailbox that a command names, and that exists for the user.
    struct Named {
        var account: AccountID
        var folder: FolderPath
        /// The folder's name on the server, in wire octets.
        var name: ByteBuffer
    }

    /// Resolves a mailbox, prepares its server, and continues with its name there.
    ///
    /// - Parameter rights: the rights that the command needs besides `l`.
    mutating func onNamed(
        _ tagged: TaggedCommand,
        mailbox: ClientMailbox,
        rights: Rights,
        proceed: (inout ClientSession, Named) -> Void
    ) {
        switch self.require([rights, .lookup], on: mailbox) {
        case .failure(let refusal):
            self.finish(tagged.tag, text: refusal.text)
        case .success(let (account, folder, _)):
            let located = self.locate(folder, in: account, for: tagged)
            guard case .name(let name) = located else {
                guard case .missing = located else { return }
                return self.finish(tagged.tag, text: .noSuchMailbox)
            }
            proceed(&self, Named(account: account, folder: folder, name: name))
        }
    }

    /// CREATE (RFC 9051 §6.3.4) needs `k` on the parent (RFC 4314 §4). At the top level of an
    /// account it needs `k` on the account.
    mutating func create(_ tagged: TaggedCommand, create: Create) {
        guard let name = create.mailbox.name,
            case .folder(let account, let folder) = self.namespace.resolve(name.withoutTrailing)
        else { return self.finish(tagged.tag, text: .noSuchMailbox) }
        guard self.mayCreate(folder, in: account) else {
            let isSeen = self.isSeen(folder, in: account)
            return self.finish(tagged.tag, text: isSeen ? .notPermitted : .noSuchMailbox)
        }
        // The gateway files sent messages in the folder with `\Sent`, and mail programs use the
        // others. So only the owner may choose them.
        guard create.uses.isEmpty || self.access(to: account).isOwner else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        guard self.isParentThere(of: folder, in: account, for: tagged) else { return }
        guard let upstreamName = self.newName(of: folder, in: account) else {
            return self.finish(tagged.tag, text: .cannotHaveName)
        }
        self.forward(tagged, to: account) {
            $0.outcome = .foldersChanged
        } encode: {
            create.encode(into: &$0, mailbox: upstreamName)
        }
    }

    /// Prepares an account's server and checks that the parent of a new folder exists.
    ///
    /// - Returns: false if the command was answered or waits.
    mutating func isParentThere(
        of folder: FolderPath,
        in account: AccountID,
        for tagged: TaggedCommand
    ) -> Bool {
        guard let parent = folder.parent else { return self.prepare(account, for: tagged) }
        switch self.locate(parent, as: .parent, in: account, for: tagged) {
        case .name:
            // If the server lists nothing below INBOX, names there may still lead to folders: as
            // aliases of folders elsewhere in the account, which the server does not list.
            guard
                self.access(to: account).isOwner || !folder.isBelowInbox
                    || self.upstreams[account]?.folders?.hasBelowInbox ?? false
            else {
                self.finish(tagged.tag, text: .notPermitted)
                return false
            }
            return true
        case .missing:
            self.finish(tagged.tag, text: .noSuchMailbox)
            return false
        case .answeredOrDeferred:
            return false
        }
    }

    /// RENAME (RFC 9051 §6.3.6) needs `x` and `r` on the folder and everything below it, and `k` on
    /// the new parent (RFC 4314 §4). The new place may not give the user a right that the old one
    /// does not.
    mutating func rename(_ tagged: TaggedCommand, rename: Rename) {
        guard
            case .success(let (account, source, _)) = self.require(.deleteMailbox, on: rename.from)
        else {
            guard case .failure(let refusal) = self.require(.deleteMailbox, on: rename.from) else {
                return
            }
            return self.finish(tagged.tag, text: refusal.text)
        }
        // A trailing delimiter declares that folders will be created below. That is defined for
        // CREATE alone (RFC 9051 §6.3.4).
        guard !(rename.to.name?.octets.last == Namespace.delimiter) else {
            return self.finish(tagged.tag, text: .cannotHaveName)
        }
        guard let name = rename.to.name,
            case .folder(let target, let folder) = self.namespace.resolve(name)
        else { return self.finish(tagged.tag, text: .noSuchMailbox) }
        guard self.mayCreate(folder, in: target) else {
            let isSeen = self.isSeen(folder, in: target)
            return self.finish(tagged.tag, text: isSeen ? .notPermitted : .noSuchMailbox)
        }
        guard target == account else { return self.finish(tagged.tag, text: .cannotAcrossAccounts) }
        guard self.access(to: account).mayMove(source, to: folder) else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        let located = self.locate(source, in: account, for: tagged)
        guard case .name(let from) = located else {
            guard case .missing = located else { return }
            return self.finish(tagged.tag, text: .noSuchMailbox)
        }
        guard self.isParentThere(of: folder, in: account, for: tagged) else { return }
        guard let to = self.newName(of: folder, in: account) else {
            return self.finish(tagged.tag, text: .cannotHaveName)
        }
        self.forward(tagged, to: account) {
            $0.outcome = .foldersChanged
        } encode: {
            $0.write(word: "RENAME")
            $0.write(mailbox: from)
            $0.write(mailbox: to)
        }
    }

    /// The server's name of a folder that is to be created; nil if the last component is an escaped
    /// one, because a client must not create names that are not modified UTF-7.
    func newName(of folder: FolderPath, in account: AccountID) -> ByteBuffer? {
        guard !UpstreamNames.endsInEscapes(folder) else { return nil }
        return self.upstreams[account]?.names.name(of: folder)
    }

    /// Whether the user may know whether a folder exists: it, or its parent, is visible.
    mutating func isSeen(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        if access.rights(in: folder).contains(.lookup) { return true }
        guard let parent = folder.parent else { return access.coversAccount.contains(.lookup) }
        return access.rights(in: parent).contains(.lookup)
    }
}
