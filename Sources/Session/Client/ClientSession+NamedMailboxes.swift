import Access
import IMAP

import struct NIOCore.ByteBuffer

/// On a mailbox that is named.
extension ClientSession {
    mutating func status(
        _ tag: ByteBuffer,
        status: Status,
        command: Command
    ) {
        self.onNamed(tag, mailbox: status.mailbox, rights: .read, command: command, requiring: []) {
            session,
            account,
            folder,
            name in
            let asked = session.items(of: status, in: account)
            guard !asked.items.isEmpty else {
                let lacking = status.items.lazy.compactMap(\.requiredCapability).first
                return session.finish(
                    tag,
                    text: lacking.map(ReplyText.lacking) ?? .cannotOnThisServer
                )
            }
            var encoder = session.encoder(for: account)
            asked.encode(into: &encoder, mailbox: name)
            let tellsNoModSeq = session.tellsNoModSeq(on: status, in: account)
            session.forward(tag, account: account, name: "STATUS", encoder: encoder) {
                $0.statusItems = tellsNoModSeq ? status.items : nil
                $0.expected = .status
                $0.mailbox = status.mailbox.wire
                $0.folder = folder
                $0.repeatable = command
            }
        }
    }

    /// DELETE needs `x` on the folder and on everything below it, there or not: some servers delete that too.
    mutating func delete(_ tag: ByteBuffer, mailbox: ClientMailbox, command: Command) {
        if mailbox.name?.octets.elementsEqual("INBOX".utf8) ?? false {
            return self.finish(tag, text: .cannotChangeInbox)
        }
        if case .success(let (account, folder, _)) = self.require(.deleteMailbox, on: mailbox) {
            guard self.access(to: account).mayDelete(folder) else {
                return self.finish(tag, text: .notPermitted)
            }
            // Where the account's folders have the prefix INBOX., all of them lie below it on the server.
            guard !folder.isInbox else { return self.finish(tag, text: .cannotChangeInbox) }
        }
        self.onNamed(tag, mailbox: mailbox, rights: .deleteMailbox, command: command, requiring: [])
        {
            session,
            account,
            _,
            name in
            var encoder = session.encoder(for: account)
            encoder.write(word: "DELETE")
            encoder.write(mailbox: name)
            session.forward(tag, account: account, name: "DELETE", encoder: encoder) {
                $0.outcome = .foldersChanged
            }
        }
    }

    /// Resolves a mailbox, gets its server ready, and goes on with its name there.
    mutating func onNamed(
        _ tag: ByteBuffer,
        mailbox: ClientMailbox,
        rights: Rights,
        command: Command,
        requiring capabilities: [String],
        proceed: (inout ClientSession, AccountID, FolderPath, ByteBuffer) -> Void
    ) {
        switch self.require([rights, .lookup], on: mailbox) {
        case .failure(let refusal):
            self.finish(tag, text: refusal.text)
        case .success(let (account, folder, _)):
            let located = self.locate(
                folder,
                in: account,
                for: tag,
                command: command,
                requiring: capabilities
            )
            guard case .name(let name) = located else {
                guard case .missing = located else { return }
                return self.finish(tag, text: .noSuchMailbox)
            }
            proceed(&self, account, folder, name)
        }
    }

    /// CREATE needs `k` on the parent (RFC 4314 §4), and on an account's top level on the account.
    mutating func create(
        _ tag: ByteBuffer,
        create: Create,
        command: Command,
        requiring capabilities: [String]
    ) {
        guard let name = create.mailbox.name,
            case .folder(let account, let folder) = self.namespace.place(of: name.withoutTrailing)
        else { return self.finish(tag, text: .noSuchMailbox) }
        guard self.mayCreate(folder, in: account) else {
            let isSeen = self.isSeen(folder, in: account)
            return self.finish(tag, text: isSeen ? .notPermitted : .noSuchMailbox)
        }
        // The gateway itself files into the folder with `\\Sent`, and mail programs into others.
        guard create.uses.isEmpty || self.access(to: account).isOwner else {
            return self.finish(tag, text: .notPermitted)
        }
        guard
            self.isParentThere(of: folder, in: account, for: tag, command, requiring: capabilities)
        else {
            return
        }
        guard let upstreamName = self.newName(of: folder, in: account) else {
            return self.finish(tag, text: .cannotHaveName)
        }
        var encoder = self.encoder(for: account)
        create.encode(into: &encoder, mailbox: upstreamName)
        self.forward(tag, account: account, name: "CREATE", encoder: encoder) {
            $0.outcome = .foldersChanged
        }
    }

    /// Gets an account's server ready and looks for the folder below which one is to be created.
    /// - Returns: false where the command is answered, or waits.
    mutating func isParentThere(
        of folder: FolderPath,
        in account: AccountID,
        for tag: ByteBuffer,
        _ command: Command,
        requiring capabilities: [String] = []
    ) -> Bool {
        guard let parent = folder.parent else {
            return self.prepare(account, tag: tag, command: command, requiring: capabilities)
        }
        switch self.locate(
            parent,
            as: .parent,
            in: account,
            for: tag,
            command: command,
            requiring: capabilities
        ) {
        case .name:
            // Where nothing is listed below INBOX, what is there may be hidden: the names of an alias, whose
            // folders are elsewhere in the account.
            guard
                self.access(to: account).isOwner || !folder.isBelowInbox
                    || self.upstreams[account]?.folders?.hasBelowInbox ?? false
            else {
                self.finish(tag, text: .notPermitted)
                return false
            }
            return true
        case .missing:
            self.finish(tag, text: .noSuchMailbox)
            return false
        case .answeredOrDeferred:
            return false
        }
    }

    mutating func rename(_ tag: ByteBuffer, rename: Rename, command: Command) {
        guard
            case .success(let (account, source, _)) = self.require(.deleteMailbox, on: rename.from)
        else {
            guard case .failure(let refusal) = self.require(.deleteMailbox, on: rename.from) else {
                return
            }
            return self.finish(tag, text: refusal.text)
        }
        // A delimiter behind a name announces folders below it, and only in CREATE (RFC 9051 §6.3.4).
        guard !(rename.to.name?.octets.last == Namespace.delimiter) else {
            return self.finish(tag, text: .cannotHaveName)
        }
        guard let name = rename.to.name,
            case .folder(let target, let folder) = self.namespace.place(of: name)
        else { return self.finish(tag, text: .noSuchMailbox) }
        guard self.mayCreate(folder, in: target) else {
            let isSeen = self.isSeen(folder, in: target)
            return self.finish(tag, text: isSeen ? .notPermitted : .noSuchMailbox)
        }
        guard target == account else { return self.finish(tag, text: .cannotAcrossAccounts) }
        guard self.access(to: account).mayMove(source, to: folder) else {
            return self.finish(tag, text: .notPermitted)
        }
        let located = self.locate(source, in: account, for: tag, command: command)
        guard case .name(let from) = located else {
            guard case .missing = located else { return }
            return self.finish(tag, text: .noSuchMailbox)
        }
        guard self.isParentThere(of: folder, in: account, for: tag, command) else { return }
        guard let to = self.newName(of: folder, in: account) else {
            return self.finish(tag, text: .cannotHaveName)
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: "RENAME")
        encoder.write(mailbox: from)
        encoder.write(mailbox: to)
        self.forward(tag, account: account, name: "RENAME", encoder: encoder) {
            $0.outcome = .foldersChanged
        }
    }

    /// The server's name of a folder that is to be made. Nobody makes a name that is no modified UTF-7.
    func newName(of folder: FolderPath, in account: AccountID) -> ByteBuffer? {
        guard !UpstreamNames.endsInEscapes(folder) else { return nil }
        return self.upstreams[account]?.names.name(of: folder)
    }

    /// Whether the user may know whether a folder is there: it, or its parent, is listed.
    mutating func isSeen(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        if access.rights(in: folder).contains(.lookup) { return true }
        guard let parent = folder.parent else { return access.coversAccount.contains(.lookup) }
        return access.rights(in: parent).contains(.lookup)
    }
}
