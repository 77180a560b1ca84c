import Access
import IMAP

/// Keeps the servers of watched accounts informed of the client's NOTIFY (RFC 5465).
extension ClientSession {
    /// Accounts of which the client watches more than the selected mailbox.
    mutating func watchedAccounts() -> Set<AccountID> {
        guard self.watching != nil else { return [] }
        return self.namespace.views.reduce(into: []) { accounts, view in
            if self.isWatched(view.account) { accounts.insert(view.account) }
        }
    }

    /// Whether the client watches more of an account than the selected mailbox.
    mutating func isWatched(_ account: AccountID) -> Bool {
        self.isWanted(account) { !$0.isSelected }
    }

    /// Whether one of the groups covers mailboxes of an account.
    ///
    /// - Parameter isOfKind: which filters count.
    mutating func isWanted(
        _ account: AccountID,
        isOfKind: (NotifyGroup.Filter) -> Bool = { _ in true }
    ) -> Bool {
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return false
        }
        return watching.request.groups.indices.contains { number in
            isOfKind(watching.request.groups[number].filter)
                && self.reach(of: number, watching: watching, in: view) != nil
        }
    }

    /// Applies the request to the present permissions: connects to the servers of accounts that
    /// have become visible, and updates what each server watches.
    mutating func updateWatches() {
        guard self.watching != nil else { return }
        let namespace = self.namespace
        self.watching?.resolve(in: namespace)
        for account in self.watchedAccounts() where self.upstreams[account] == nil {
            self.open(account)
        }
        for account in self.upstreams.keys.sorted() { _ = self.synchronizeNotify(account) }
    }

    /// Sends a server what the client wants to watch, if the server does not watch exactly that.
    /// Where necessary, ENABLE and LIST go first. A server without NOTIFY is polled.
    ///
    /// - Returns: whether a command was sent; then no other can be sent now.
    mutating func synchronizeNotify(_ account: AccountID) -> Bool {
        // Between two commands of a transfer no other command may be sent to its servers.
        if case .transferring(let transferring) = self.running, transferring.plan.involves(account)
        {
            return false
        }
        guard let upstream = self.upstreams[account], upstream.isIdle,
            upstream.isNotifyDue
                || !upstream.isSynchronized(with: self.watching)
                    && upstream.watchVersion != self.watchVersion
        else { return false }
        guard self.watching == nil || !self.enable(in: account, for: nil) else { return true }
        if self.needsFolders(of: account), self.requestFolders(of: account) { return true }
        let groups = self.groups(for: account, names: upstream.names)
        // Without the list of its folders, nothing of the account can be watched.
        let isUnlisted =
            upstream.folders == nil && self.isWatched(account)
            && (!self.access(to: account).isOwner || !upstream.profile.has("NOTIFY"))
        if isUnlisted, case .notifying(let notifying) = self.running { notifying.lacksPart() }
        guard upstream.profile.has("NOTIFY") else { return self.watchByPolling(account) }
        guard upstream.isNotifyDue || groups != upstream.watched else {
            upstream.watchVersion = self.watchVersion
            self.notified(account, failed: false)
            return false
        }
        let sendsStatus = self.watching?.request.sendsStatus ?? false
        var encoder = self.encoder(for: account)
        Notify(sendsStatus: sendsStatus, groups: groups).encode(into: &encoder)
        upstream.isNotifyDue = false
        upstream.watched = groups
        upstream.isNotifyGiven = true
        upstream.watchVersion = self.watchVersion
        upstream.housekeeping = .notify
        upstream.segments = encoder.finish()
        guard !upstream.segments.isEmpty else { return true }
        self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
        return true
    }

    /// A server has answered NOTIFY.
    mutating func notifyCompleted(_ account: AccountID, condition: Condition) {
        guard condition != .ok else { return self.notified(account, failed: false) }
        self.upstreams[account]?.watched = []
        if case .notifying(let notifying) = self.running {
            self.watching = nil
            return self.finish(notifying.tag, text: .cannotOnThisServer)
        }
        self.stopWatching()
    }

    /// The connection to a watched account has ended, so its events cannot be reported any more.
    mutating func watchedUpstreamLost(_ account: AccountID) {
        if case .notifying(let notifying) = self.running {
            return notifying.notified(account, failed: true, in: &self)
        }
        guard self.isWatched(account) else { return }
        self.stopWatching()
    }

    /// Ends watching with NOTIFICATIONOVERFLOW: the client has to look at its mailboxes itself (RFC
    /// 5465 §5.8).
    mutating func stopWatching() {
        guard self.watching != nil else { return }
        self.watching = nil
        self.emit(Reply.untagged(.status(.notificationOverflow)))
        if case .notifying(let notifying) = self.running {
            self.finish(notifying.tag, text: .completed("NOTIFY"))
        }
        for account in self.upstreams.keys.sorted() { _ = self.synchronizeNotify(account) }
    }
}
