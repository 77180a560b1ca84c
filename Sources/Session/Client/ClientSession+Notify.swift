import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Each account's server watches its own mailboxes and tells of all of them; what it says is
/// checked against the permissions in force when it comes, so that what was asked for opens
/// nothing.
extension ClientSession {
    /// Octets' lines that wait while another response passes; a client that reads nothing for so
    /// long looks at its mailboxes again.
    static let maximumHeld = 256

    mutating func notify(_ tag: ByteBuffer, notify: Notify) {
        let shown = Set(self.capabilities)
        if let lacking = notify.requiredCapabilities.first(where: { !shown.contains($0) }) {
            return self.finish(tag, text: .lacking(lacking))
        }
        guard !notify.groups.contains(where: { $0.events.contains(.unsupported) }) else {
            return self.finish(tag, text: .badEvent)
        }
        self.hasUsedNotify = true
        self.watching = notify.groups.isEmpty ? nil : Watching(notify, in: self.namespace)
        self.running = .notifying(Notifying(tag: tag))
        // What is asked behind it, and may concern as many accounts, is the next turn's.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            return self.actions.append(.loadSubscriptions(user))
        }
        self.notifyServers()
    }

    /// The user's decisions about subscriptions are read, or were changed.
    mutating func watchedSubscriptionsLoaded(_ choices: SubscriptionChoices?) {
        guard self.watching?.needsSubscriptions ?? false else { return }
        let watched = choices.map(self.watched) ?? SubscriptionChoices()
        let hasRoom = self.watching?.setChoices(watched) ?? false
        if case .notifying = self.running {
            guard hasRoom else { return self.notifyingFailed(.tooManyWatched) }
            guard choices != nil else { return self.notifyingFailed(.unavailable) }
            return self.notifyServers()
        }
        guard hasRoom else { return self.stopWatching() }
        for account in self.upstreams.keys.sorted() { _ = self.bringInStep(account) }
    }

    private mutating func notifyingFailed(_ answer: ReplyText) {
        guard case .notifying(let notifying) = self.running else { return }
        self.watching = nil
        self.finish(notifying.tag, text: answer)
    }

    private mutating func notifyServers() {
        guard case .notifying(let notifying) = self.running else { return }
        var concerned = self.watchedAccounts()
        for (account, upstream) in self.upstreams
        where self.isWanted(account) || !upstream.watched.isEmpty || self.lacksNotify(account) {
            upstream.isNotifyDue = true
            concerned.insert(account)
        }
        notifying.wait(for: concerned)
        for account in concerned.sorted() {
            self.open(account)
            _ = self.bringInStep(account)
        }
        if case .notifying = self.running { notifying.complete(in: &self) }
    }

    /// An account's server is in step with what the client asked for, or cannot be.
    mutating func notified(_ account: AccountID, failed: Bool) {
        guard case .notifying(let notifying) = self.running else { return }
        notifying.notified(account, failed: failed, in: &self)
    }
}
