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

    // MARK: - The permissions change

    /// The store published another snapshot. What is no longer allowed stops.
    package mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        if case .ended = self.running { return }
        self.snapshot = snapshot
        let before = self.accesses
        self.accesses = [:]
        self.forgetFolders(readWith: before)
        guard let user = self.user else { return }
        guard snapshot.isEnabled(user) else { return self.end(.bye(.accessEnded)) }
        self.lookAround()
        if let onlyAccount = self.onlyAccount, self.namespace.personal != onlyAccount {
            return self.end(.bye(.accessEnded))
        }
        let open = self.open?.account
        let target = self.checkTransferring()
        if let account = self.revoking, account != target, !self.isRevoked(account) {
            self.revoking = nil
        }
        for account in self.upstreams.keys.sorted()
        where account == target || self.isRevoked(account) {
            if account == open { self.auditReadingEnded() }
            self.revoke(account)
        }
        self.watchAnew()
        if case .listing(let listing) = self.running {
            listing.answer?.permissionsChanged(in: &self)
        }
        // What was stopped is answered, and what the client sent behind it may run.
        self.readClient()
    }

    /// The mailboxes of which a server tells, or is about to.
    private var open: (account: AccountID, folders: [FolderPath])? {
        if case .selecting(let selecting) = self.running {
            return (selecting.account, [selecting.folder] + (selecting.left.map { [$0] } ?? []))
        }
        return self.selected.map { ($0.account, [$0.folder]) }
    }

    /// Whether an account, or what is open of it, is out of sight, or takes the message no more that is
    /// on its way there.
    private mutating func isRevoked(_ account: AccountID) -> Bool {
        guard self.namespace.view(of: account) != nil else { return true }
        if case .appending(let appending) = self.running, appending.account == account,
            !self.rights(in: appending.folder, of: account).contains([.insert, .lookup])
        {
            return true
        }
        guard let open = self.open, open.account == account else { return false }
        return open.folders.contains {
            !self.rights(in: $0, of: account).contains([.lookup, .read])
        }
    }

    /// An account, or its selected mailbox, is out of sight: its connection ends, and with it
    /// whatever runs there. A response that has passed in part passes to its end first, if it does
    /// not take long, because nothing gentler than closing stops a client in the middle of one.
    mutating func revoke(_ account: AccountID) {
        guard self.upstreams[account] != nil else { return }
        guard self.passing != account else {
            // The time runs from the first change that revoked it, whatever changes besides.
            guard self.revoking != account else { return }
            self.revoking = account
            return self.actions.append(.revokeLater)
        }
        self.revoking = nil
        self.drop(account)
        self.upstreamRevoked(account)
    }

    /// The time is over in which a response might have passed to its end.
    package mutating func revocationDue() {
        guard self.revoking != nil else { return }
        self.end(nil)
    }
}
