package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The commands about rights, answered from the permission store (RFC 4314).
extension ClientSession {
    mutating func myRights(_ tag: ByteBuffer, mailbox: ClientMailbox) {
        guard case .folder(let account, let folder, let rights) = self.resolve(mailbox) else {
            return self.finish(tag, text: .noSuchMailbox)
        }
        guard self.isThere(folder, in: account, for: tag, command: .myRights(mailbox)) else {
            return
        }
        self.emit(Reply.myRights(mailbox.wire, rights: rights.letters))
        self.finish(tag, text: .completed("MYRIGHTS"))
    }

    /// GETACL shows each subject's rights in the folder; it needs `a`, which the owner has.
    mutating func getACL(_ tag: ByteBuffer, mailbox: ClientMailbox) {
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal):
            self.finish(tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.isThere(folder, in: account, for: tag, command: .getACL(mailbox)) else {
                return
            }
            let entries = self.snapshot.accessControlList(of: folder, in: account, at: self.now)
            self.emit(
                Reply.acl(mailbox.wire, entries: entries.map { ($0.identifier, $0.rights.letters) })
            )
            self.finish(tag, text: .completed("GETACL"))
        }
    }

    /// LISTRIGHTS: each right but `a` can be granted by itself; on Exchange nothing can.
    mutating func listRights(_ tag: ByteBuffer, listRights: ListRights) {
        switch self.require([.lookup, .administer], on: listRights.mailbox) {
        case .failure(let refusal):
            self.finish(tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.isThere(folder, in: account, for: tag, command: .listRights(listRights))
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
            self.finish(tag, text: .completed("LISTRIGHTS"))
        }
    }

    // MARK: - Sharing by hand

    /// SETACL: the owner of an account shares one of its folders. The store is written, so that
    /// everything else that asks it agrees.
    mutating func setACL(_ tag: ByteBuffer, setACL: SetACL) {
        var letters = String(buffer: setACL.rights)
        let kind: ACLChange.Kind =
            switch letters.first {
            case "+": .add
            case "-": .remove
            default: .replace
            }
        if kind != .replace { letters.removeFirst() }
        guard let rights = Rights(aclLetters: letters) else {
            return self.finish(tag, text: .badSyntax)
        }
        self.changeACL(
            tag,
            name: "SETACL",
            mailbox: setACL.mailbox,
            identifier: setACL.identifier,
            kind: kind,
            rights: rights
        )
    }

    mutating func deleteACL(_ tag: ByteBuffer, deleteACL: DeleteACL) {
        self.changeACL(
            tag,
            name: "DELETEACL",
            mailbox: deleteACL.mailbox,
            identifier: deleteACL.identifier,
            kind: .replace,
            rights: []
        )
    }

    private mutating func changeACL(
        _ tag: ByteBuffer,
        name: StaticText,
        mailbox: ClientMailbox,
        identifier: ByteBuffer,
        kind: ACLChange.Kind,
        rights: Rights
    ) {
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal):
            self.finish(tag, text: refusal.text)
        case .success(let (account, folder, _)):
            guard self.access(to: account).isOwner, let user = self.user else {
                return self.finish(tag, text: .notPermitted)
            }
            guard self.snapshot.accounts[account]?.kind == .imap else {
                return self.finish(tag, text: .cannotChangeACL)
            }
            guard kind == .remove || !rights.contains(.administer) else {
                return self.finish(tag, text: .cannotGrantRight)
            }
            self.running = .changingACL(tag: tag, name)
            self.actions.append(
                .changeACL(
                    ACLChange(
                        owner: user,
                        account: account,
                        folder: folder,
                        identifier: Array(identifier.readableBytesView),
                        kind: kind,
                        rights: rights
                    )
                )
            )
        }
    }

    /// The store was written, or refused.
    package mutating func aclChanged(_ outcome: ACLChange.Outcome) {
        guard case .changingACL(let tag, let name) = self.running else { return }
        switch outcome {
        case .done: self.finish(tag, text: .completed(name))
        case .unknownIdentifier: self.finish(tag, text: .noSuchIdentifier)
        case .grantedElsewhere: self.finish(tag, text: .grantedElsewhere)
        case .tooMany: self.finish(tag, text: .tooManyGrants)
        case .failed: self.finish(tag, text: .unavailable)
        }
        self.readClient()
    }
}
