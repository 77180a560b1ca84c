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
        let open = self.openAccount
        self.command?.permissionsChanged(in: &self)
        if let account = self.revoking, !self.isRevoked(account) {
            self.revoking = nil
        }
        for account in self.upstreams.keys.sorted()
        where self.isRevoked(account) {
            if account == open { self.auditReadingEnded() }
            self.revoke(account)
        }
        self.watchAnew()
        // What was stopped is answered, and what the client sent behind it may run.
        self.readClient()
    }

    /// The store published another snapshot, in which no decision about this user differs. What was
    /// decided before stays, and names of other users are read from the new snapshot.
    package mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
    }

    /// The account whose server tells of a mailbox, or is about to.
    private var openAccount: AccountID? {
        if case .selecting(let selecting) = self.running { return selecting.account }
        return self.selected?.account
    }

    /// Whether an account, or what is open or runs there, is out of sight.
    private mutating func isRevoked(_ account: AccountID) -> Bool {
        guard self.namespace.view(of: account) != nil else { return true }
        if self.command?.isForbidden(at: account, in: &self) ?? false { return true }
        guard let selected = self.selected, selected.account == account else { return false }
        return !self.mayRead(selected.folder, of: account)
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
