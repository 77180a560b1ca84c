package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The ACL commands, answered from the permission store (RFC 4314).
extension ClientSession {
    /// MYRIGHTS (RFC 4314 §3.5) needs `l`.
    mutating func myRights(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard !self.isEmptyInbox(mailbox) else {
            self.emit(Reply.myRights(mailbox.wire, rights: EmptyInbox.rights.letters))
            return self.finish(tagged.tag, text: .completed("MYRIGHTS"))
        }
        guard case .folder(let account, let folder, let rights) = self.resolve(mailbox) else {
            return self.finish(tagged.tag, text: .noSuchMailbox)
        }
        guard self.isThere(folder, in: account, for: tagged) else {
            return
        }
        self.emit(Reply.myRights(mailbox.wire, rights: rights.letters))
        self.finish(tagged.tag, text: .completed("MYRIGHTS"))
    }

    /// GETACL (RFC 4314 §3.3) lists the rights of each subject in the folder. It needs `l` and `a`.
    mutating func getACL(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard !self.isEmptyInbox(mailbox) else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal):
            self.finish(tagged.tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.isThere(folder, in: account, for: tagged) else {
                return
            }
            let entries = self.snapshot.accessControlList(of: folder, in: account, at: self.now)
            self.emit(
                Reply.acl(mailbox.wire, entries: entries.map { ($0.identifier, $0.rights.letters) })
            )
            self.finish(tagged.tag, text: .completed("GETACL"))
        }
    }

    /// LISTRIGHTS (RFC 4314 §3.4). Each right except `a` can be granted on its own. On an Exchange
    /// account nothing can be granted, because its grants come from Exchange.
    mutating func listRights(_ tagged: TaggedCommand, listRights: ListRights) {
        switch self.require([.lookup, .administer], on: listRights.mailbox) {
        case .failure(let refusal):
            self.finish(tagged.tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.isThere(folder, in: account, for: tagged)
            else {
                return
            }
            let isLocal = self.snapshot.accounts[account]?.kind == .imap
            self.emit(
                Reply.listRights(
                    listRights.mailbox.wire,
                    identifier: listRights.identifier,
                    required: "",
                    optional: isLocal ? Rights.manage.letters.map(String.init) : []
                )
            )
            self.finish(tagged.tag, text: .completed("LISTRIGHTS"))
        }
    }

    // MARK: - Changes of the ACL

    /// SETACL (RFC 4314 §3.1): the owner of an account shares one of its folders. The change goes
    /// to the store, which is the one source of permissions.
    mutating func setACL(_ tagged: TaggedCommand, setACL: SetACL) {
        var letters = String(buffer: setACL.rights)
        let kind: ACLChange.Kind =
            switch letters.first {
            case "+": .add
            case "-": .remove
            default: .replace
            }
        if kind != .replace { letters.removeFirst() }
        guard let rights = Rights(aclLetters: letters) else {
            return self.finish(tagged.tag, text: .badSyntax)
        }
        let share = Share(identifier: setACL.identifier, kind: kind, rights: rights)
        self.change(tagged, mailbox: setACL.mailbox, to: share)
    }

    /// DELETEACL (RFC 4314 §3.2) replaces the rights of the identifier by none.
    mutating func deleteACL(_ tagged: TaggedCommand, deleteACL: DeleteACL) {
        let share = Share(identifier: deleteACL.identifier, kind: .replace, rights: [])
        self.change(tagged, mailbox: deleteACL.mailbox, to: share)
    }

    /// The rights that a command gives to one identifier.
    private struct Share {
        /// A login, or `group:NAME`, as the client sent it.
        var identifier: ByteBuffer
        var kind: ACLChange.Kind
        var rights: Rights
    }

    /// Requests a change of the grants. Only the owner of an account may change them, even where
    /// somebody else holds `a`, and `a` itself cannot be granted.
    private mutating func change(
        _ tagged: TaggedCommand,
        mailbox: ClientMailbox,
        to share: Share
    ) {
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal):
            self.finish(tagged.tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.access(to: account).isOwner, let user = self.user else {
                return self.finish(tagged.tag, text: .notPermitted)
            }
            guard self.snapshot.accounts[account]?.kind == .imap else {
                return self.finish(tagged.tag, text: .cannotChangeACL)
            }
            guard share.kind == .remove || !share.rights.contains(.administer) else {
                return self.finish(tagged.tag, text: .cannotGrantRight)
            }
            self.running = .changingACL(tagged)
            self.actions.append(
                .changeACL(
                    ACLChange(
                        owner: user,
                        account: account,
                        folder: folder,
                        identifier: Array(share.identifier.readableBytesView),
                        kind: share.kind,
                        rights: share.rights
                    )
                )
            )
        }
    }

    /// The store has applied or refused the change that SETACL or DELETEACL requested.
    package mutating func aclChanged(_ outcome: ACLChange.Outcome) {
        guard case .changingACL(let tagged) = self.running else { return }
        switch outcome {
        case .done: self.finish(tagged.tag, text: .completed(tagged.traits.name))
        case .unknownIdentifier: self.finish(tagged.tag, text: .noSuchIdentifier)
        case .grantedElsewhere: self.finish(tagged.tag, text: .grantedElsewhere)
        case .tooMany: self.finish(tagged.tag, text: .tooManyGrants)
        case .failed: self.finish(tagged.tag, text: .unavailable)
        }
        self.readClient()
    }
}
