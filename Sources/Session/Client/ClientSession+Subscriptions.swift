package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Subscriptions: of the user's own account they are its server's, of all others the gateway's, so that nobody
/// changes another's.
extension ClientSession {
    /// Which folders of an account in sight are subscribed before the user decided about any of them.
    func subscriptionBase(of view: Namespace.View) -> SubscriptionBase {
        guard view.isPersonal else { return self.sharedSubscriptionBase }
        guard self.onlyAccount != nil else { return .own }
        let hasOwner = self.snapshot.accounts[view.account]?.owner != nil
        return hasOwner ? .owner : self.sharedSubscriptionBase
    }

    private var sharedSubscriptionBase: SubscriptionBase { self.subscribesShared ? .every : .none }

    mutating func subscribe(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard !self.isEmptyInbox(mailbox) else {
            return self.finish(tagged.tag, text: .completed("SUBSCRIBE"))
        }
        guard let (account, folder) = self.place(of: mailbox),
            self.rights(in: folder, of: account).contains(.lookup)
        else { return self.finish(tagged.tag, text: .noSuchMailbox) }
        if self.ownsSubscriptions(of: account) {
            self.forwardSubscription(tagged, of: folder, in: account)
        } else if self.isThere(folder, in: account, for: tagged) {
            self.change(.subscribe, of: folder, in: account, for: tagged)
        }
    }

    mutating func unsubscribe(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard let (account, folder) = self.place(of: mailbox) else {
            return self.finish(tagged.tag, text: .completed("UNSUBSCRIBE"))
        }
        guard !self.ownsSubscriptions(of: account) else {
            return self.forwardSubscription(tagged, of: folder, in: account)
        }
        // Whoever may not see the folder has it no more: shared again, it is a new one.
        let isVisible = self.rights(in: folder, of: account).contains(.lookup)
        self.change(isVisible ? .unsubscribe : .forget, of: folder, in: account, for: tagged)
    }

    private func place(of mailbox: ClientMailbox) -> (AccountID, FolderPath)? {
        guard let name = mailbox.name, self.user != nil,
            case .folder(let account, let folder) = self.namespace.place(of: name)
        else { return nil }
        return (account, folder)
    }

    /// Whether the subscriptions of an account are the user's own, and its server keeps them.
    private mutating func ownsSubscriptions(of account: AccountID) -> Bool {
        self.namespace.personal == account && self.onlyAccount == nil
            && self.access(to: account).isOwner
    }

    private mutating func change(
        _ kind: SubscriptionChange.Kind,
        of folder: FolderPath,
        in account: AccountID,
        for tagged: TaggedCommand
    ) {
        guard let user = self.user else { return }
        self.running = .subscribing(tagged)
        let change = SubscriptionChange(
            user: user,
            account: account,
            folder: folder,
            kind: kind
        )
        self.actions.append(.changeSubscription(change))
    }

    private mutating func forwardSubscription(
        _ tagged: TaggedCommand,
        of folder: FolderPath,
        in account: AccountID
    ) {
        var isSubscribed = false
        if case .subscribe = tagged.command { isSubscribed = true }
        guard self.prepare(account, for: tagged) else { return }
        if isSubscribed, UpstreamNames.isEscaped(folder),
            !self.isThere(folder, in: account, for: tagged)
        {
            return
        }
        guard let name = self.upstreams[account]?.names.name(of: folder) else {
            return self.finish(tagged.tag, text: .noSuchMailbox)
        }
        self.forward(tagged, to: account) {
            $0.write(word: isSubscribed ? "SUBSCRIBE" : "UNSUBSCRIBE")
            $0.write(mailbox: name)
        }
    }

    /// A change of a subscription was recorded, or could not be.
    package mutating func subscriptionChanged(_ outcome: SubscriptionOutcome) {
        guard case .subscribing(let tagged) = self.running else { return }
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            self.actions.append(.loadSubscriptions(user))
        }
        switch outcome {
        case .changed: self.finish(tagged.tag, text: .completed(tagged.traits.name))
        case .tooMany:
            var text = ReplyText.tooManySubscriptions
            if case .unsubscribe = tagged.command { text = .tooManyUnsubscriptions }
            self.finish(tagged.tag, text: text)
        case .failed: self.finish(tagged.tag, text: .unavailable)
        }
        self.readClient()
    }

    /// The user's decisions about subscriptions; nil where the store cannot be read.
    package mutating func subscriptionsLoaded(_ choices: SubscriptionChoices?) {
        guard case .listing(let listing) = self.running,
            listing.subscriptionsLoaded(choices, in: &self)
        else {
            self.watchedSubscriptionsLoaded(choices)
            return self.readClient()
        }
        self.readClient()
    }

    /// Those of the user's decisions that say which folders are watched, also of accounts that may come into sight.
    func watched(_ choices: SubscriptionChoices) -> SubscriptionChoices {
        choices.compactMap { account, known in
            let view = self.namespace.view(of: account)
            switch view.map(self.subscriptionBase(of:)) ?? self.sharedSubscriptionBase {
            case .own: return nil
            case .owner, .none: return known
            case .every: return known.withoutSubscribed
            }
        }
    }
}
