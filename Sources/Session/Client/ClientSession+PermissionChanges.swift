package import Access
import IMAP

/// Permissions that change while a session runs.
extension ClientSession {
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
        self.refreshNamespace()
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
