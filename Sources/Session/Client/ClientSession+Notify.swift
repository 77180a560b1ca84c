import Access
import IMAP

import struct NIOCore.ByteBuffer

/// NOTIFY (RFC 5465). Each account's server watches its own mailboxes. The gateway checks every
/// event against the permissions in force when it arrives, so a request reveals nothing by itself.
extension ClientSession {
    /// Lines that wait while another response is being passed on. If more arrive, watching ends and
    /// the client has to look at its mailboxes again.
    static let maximumHeld = 256

    /// NOTIFY starts to watch, or replaces what was watched. `NOTIFY NONE` ends it.
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
        // The next command may concern as many accounts, so it gets a turn of its own.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            return self.actions.append(.loadSubscriptions(user))
        }
        self.notifyServers()
    }

    /// The user's subscription choices were read from the store, or have changed.
    ///
    /// - Parameter choices: nil if the store cannot be read.
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
        for account in self.upstreams.keys.sorted() { _ = self.synchronizeNotify(account) }
    }

    /// Refuses the NOTIFY that is running, and ends watching.
    private mutating func notifyingFailed(_ answer: ReplyText) {
        guard case .notifying(let notifying) = self.running else { return }
        self.watching = nil
        self.finish(notifying.tag, text: answer)
    }

    /// Sends the request to every server that it concerns, and waits for their answers.
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
            _ = self.synchronizeNotify(account)
        }
        if case .notifying = self.running { notifying.complete(in: &self) }
    }

    /// An account's server watches what the client asked for, or cannot.
    mutating func notified(_ account: AccountID, failed: Bool) {
        guard case .notifying(let notifying) = self.running else { return }
        notifying.notified(account, failed: failed, in: &self)
    }
}
