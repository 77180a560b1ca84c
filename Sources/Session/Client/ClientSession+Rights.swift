package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The commands about rights, answered from the permission store (RFC 4314).
extension ClientSession {
    mutating func myRights(_ tag: ByteBuffer, _ mailbox: ClientMailbox) {
        guard case .folder(_, _, let rights) = self.resolve(mailbox) else {
            return self.finish(tag, .noSuchMailbox)
        }
        self.emit(Reply.myRights(mailbox.wire, rights.letters))
        self.finish(tag, .completed("MYRIGHTS"))
    }

    /// GETACL shows each subject's rights in the folder; it needs `a`, which the owner has.
    mutating func getACL(_ tag: ByteBuffer, _ mailbox: ClientMailbox) {
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal):
            self.finish(tag, refusal.text)
        case .success(let (account, folder, _)):
            let entries = self.snapshot.accessControlList(of: folder, in: account, at: self.now)
            self.emit(Reply.acl(mailbox.wire, entries.map { ($0.identifier, $0.rights.letters) }))
            self.finish(tag, .completed("GETACL"))
        }
    }

    /// LISTRIGHTS: each right can be granted by itself.
    mutating func listRights(_ tag: ByteBuffer, _ listRights: ListRights) {
        switch self.require([.lookup, .administer], on: listRights.mailbox) {
        case .failure(let refusal):
            self.finish(tag, refusal.text)
        case .success:
            self.emit(
                Reply.listRights(
                    listRights.mailbox.wire,
                    identifier: listRights.identifier,
                    required: "",
                    optional: Rights.all.letters.map(String.init)
                )
            )
            self.finish(tag, .completed("LISTRIGHTS"))
        }
    }

    /// SETACL and DELETEACL: grants are made by an administrator.
    mutating func changeACL(_ tag: ByteBuffer, _ mailbox: ClientMailbox) {
        switch self.require([.lookup, .administer], on: mailbox) {
        case .failure(let refusal): self.finish(tag, refusal.text)
        case .success: self.finish(tag, .cannotChangeACL)
        }
    }

    // MARK: - The permissions change

    /// The store published another snapshot. What is no longer allowed stops.
    package mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
        self.accesses = [:]
        guard let user = self.user else { return }
        guard snapshot.isEnabled(user) else { return self.end(.bye(.accessEnded)) }
        self.lookAround()
        if let onlyAccount = self.onlyAccount, self.namespace.personal != onlyAccount {
            return self.end(.bye(.accessEnded))
        }
        for account in self.upstreams.keys where self.namespace.view(of: account) == nil {
            self.revoke(account)
        }
        self.checkSelected()
        self.checkAppending()
        if let account = self.checkTransferring() { self.revoke(account) }
        self.watchNewAccounts()
    }

    /// A message on its way into a mailbox that takes it no more is cut, and is not stored.
    private mutating func checkAppending() {
        guard case .appending(let appending) = self.running else { return }
        let rights = self.access(to: appending.account).rights(in: appending.folder)
        guard !rights.contains([.insert, .lookup]) else { return }
        self.revoke(appending.account)
    }

    /// The selected mailbox is closed where it may no longer be read.
    private mutating func checkSelected() {
        guard let selected = self.selected else { return }
        let rights = self.access(to: selected.account).rights(in: selected.folder)
        guard !rights.contains([.lookup, .read]) else { return }
        self.revoke(selected.account)
    }

    /// An account, or its selected mailbox, is out of sight: its connection ends, and with it
    /// whatever runs there. Where a part of a response has passed, the client's ends too.
    private mutating func revoke(_ account: AccountID) {
        guard self.upstreams[account] != nil else { return }
        if self.passing == account { return self.end(nil) }
        self.drop(account)
        self.upstreamRevoked(account)
    }
}
