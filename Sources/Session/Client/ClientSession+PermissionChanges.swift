package import Access
import IMAP

/// Changes of permissions during a session.
extension ClientSession {
    /// The store has published another snapshot. The session stops everything that it no longer
    /// permits.
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
        self.updateWatches()
        // Commands that were stopped are answered now, so a pipelined command may run.
        self.readClient()
    }

    /// The store published another snapshot, in which no decision about this user differs. What was
    /// decided before stays, and names of other users are read from the new snapshot.
    package mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment) {
        self.now = now
        self.snapshot = snapshot
    }

    /// The account of the mailbox that is selected or being selected.
    private var openAccount: AccountID? {
        if case .selecting(let selecting) = self.running { return selecting.account }
        return self.selected?.account
    }

    /// Whether the user has lost an account, its selected mailbox, or the rights for the command
    /// that runs there.
    private mutating func isRevoked(_ account: AccountID) -> Bool {
        guard self.namespace.view(of: account) != nil else { return true }
        if self.command?.isForbidden(at: account, in: &self) ?? false { return true }
        guard let selected = self.selected, selected.account == account else { return false }
        return !self.mayRead(selected.folder, of: account)
    }

    /// Closes the connection to an account that the user has lost, and stops what runs there. If
    /// part of a response has been passed on, the rest may follow for a short time. After that the
    /// client's connection is closed, because nothing else stops a client in the middle of a
    /// response.
    mutating func revoke(_ account: AccountID) {
        guard self.upstreams[account] != nil else { return }
        guard self.passing != account else {
            // The time runs from the change that revoked the account. A later change must not
            // extend it.
            guard self.revoking != account else { return }
            self.revoking = account
            return self.actions.append(.revokeLater)
        }
        self.revoking = nil
        self.drop(account)
        self.upstreamRevoked(account)
    }

    /// The time has passed in which a response of a revoked account could be completed.
    package mutating func revocationDue() {
        guard self.revoking != nil else { return }
        self.end(nil)
    }
}
