package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Subscriptions. Those of the user's own account are stored by its server. Those of all other
/// accounts are stored by the gateway for each user, so that nobody changes another user's
/// subscriptions.
extension ClientSession {
    /// The folders of a visible account that are subscribed before the user has chosen any.
    func subscriptionBase(of view: Namespace.View) -> SubscriptionBase {
        guard view.isPersonal else { return self.sharedSubscriptionBase }
        guard self.onlyAccount != nil else { return .own }
        let hasOwner = self.snapshot.accounts[view.account]?.owner != nil
        return hasOwner ? .owner : self.sharedSubscriptionBase
    }

    /// The same for an account without an owner and for other users' accounts.
    private var sharedSubscriptionBase: SubscriptionBase { self.subscribesShared ? .every : .none }

    /// SUBSCRIBE (RFC 9051 §6.3.7) needs `l` and an existing folder.
    mutating func subscribe(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard !self.isEmptyInbox(mailbox) else {
            return self.finish(tagged.tag, text: .completed("SUBSCRIBE"))
        }
        guard let (account, folder) = self.accountAndFolder(of: mailbox),
            self.rights(in: folder, of: account).contains(.lookup)
        else { return self.finish(tagged.tag, text: .noSuchMailbox) }
        if self.ownsSubscriptions(of: account) {
            self.forwardSubscription(tagged, of: folder, in: account)
        } else if self.isThere(folder, in: account, for: tagged) {
            self.change(.subscribe, of: folder, in: account, for: tagged)
        }
    }

    /// UNSUBSCRIBE (RFC 9051 §6.3.8) is always allowed, and does not reveal whether the folder
    /// exists.
    mutating func unsubscribe(_ tagged: TaggedCommand, mailbox: ClientMailbox) {
        guard let (account, folder) = self.accountAndFolder(of: mailbox) else {
            return self.finish(tagged.tag, text: .completed("UNSUBSCRIBE"))
        }
        guard !self.ownsSubscriptions(of: account) else {
            return self.forwardSubscription(tagged, of: folder, in: account)
        }
        // For a folder that the user may not see, the choice is removed. If it is shared again, it
        // counts as new.
        let isVisible = self.rights(in: folder, of: account).contains(.lookup)
        self.change(isVisible ? .unsubscribe : .forget, of: folder, in: account, for: tagged)
    }

    /// The account and folder of a name, regardless of the user's rights.
    private func accountAndFolder(of mailbox: ClientMailbox) -> (AccountID, FolderPath)? {
        guard let name = mailbox.name, self.user != nil,
            case .folder(let account, let folder) = self.namespace.resolve(name)
        else { return nil }
        return (account, folder)
    }

    /// Whether the subscriptions of an account are the user's own and its server stores them.
    private mutating func ownsSubscriptions(of account: AccountID) -> Bool {
        self.namespace.personal == account && self.onlyAccount == nil
            && self.access(to: account).isOwner
    }

    /// Stores the user's choice about one folder.
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

    /// Forwards SUBSCRIBE or UNSUBSCRIBE to the user's own server.
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

    /// The store has recorded the user's choice, or could not.
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

    /// The user's subscription choices were read; nil if the store cannot be read. A running LIST
    /// takes them first, then NOTIFY.
    package mutating func subscriptionsLoaded(_ choices: SubscriptionChoices?) {
        guard case .listing(let listing) = self.running,
            listing.subscriptionsLoaded(choices, in: &self)
        else {
            self.watchedSubscriptionsLoaded(choices)
            return self.readClient()
        }
        self.readClient()
    }

    /// The choices that determine which folders are watched, including those in accounts that may
    /// become visible later.
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
