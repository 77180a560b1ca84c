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

    mutating func subscribe(_ tag: ByteBuffer, mailbox: ClientMailbox, isSubscribed: Bool) {
        guard let name = mailbox.name, let user = self.user,
            case .folder(let account, let folder) = self.namespace.place(of: name)
        else {
            return self.finish(tag, text: isSubscribed ? .noSuchMailbox : .completed("UNSUBSCRIBE"))
        }
        let access = self.access(to: account)
        let isVisible = access.rights(in: folder).contains(.lookup)
        if isSubscribed, !isVisible { return self.finish(tag, text: .noSuchMailbox) }
        let command: Command = isSubscribed ? .subscribe(mailbox) : .unsubscribe(mailbox)
        guard self.namespace.personal == account, self.onlyAccount == nil, access.isOwner else {
            guard !isSubscribed || self.isThere(folder, in: account, for: tag, command: command)
            else {
                return
            }
            self.running = .subscribing(tag: tag, isSubscribed ? "SUBSCRIBE" : "UNSUBSCRIBE")
            // Whoever may not see the folder has it no more: shared again, it is a new one.
            let change = SubscriptionChange(
                user: user,
                account: account,
                folder: folder,
                kind: isSubscribed ? .subscribe : isVisible ? .unsubscribe : .forget
            )
            return self.actions.append(.changeSubscription(change))
        }
        guard self.prepare(account, tag: tag, command: command) else { return }
        if isSubscribed, UpstreamNames.isEscaped(folder),
            !self.isThere(folder, in: account, for: tag, command: command)
        {
            return
        }
        guard let upstreamName = self.upstreams[account]?.names.name(of: folder) else {
            return self.finish(tag, text: .noSuchMailbox)
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: isSubscribed ? "SUBSCRIBE" : "UNSUBSCRIBE")
        encoder.write(mailbox: upstreamName)
        self.forward(
            tag,
            account: account,
            name: isSubscribed ? "SUBSCRIBE" : "UNSUBSCRIBE",
            encoder: encoder
        )
    }

    /// A change of a subscription was recorded, or could not be.
    package mutating func subscriptionChanged(_ outcome: SubscriptionOutcome) {
        guard case .subscribing(let tag, let name) = self.running else { return }
        if self.watching?.needsSubscriptions ?? false, let user = self.user {
            self.actions.append(.loadSubscriptions(user))
        }
        switch outcome {
        case .changed: self.finish(tag, text: .completed(name))
        case .tooMany where name.description == "UNSUBSCRIBE":
            self.finish(tag, text: .tooManyUnsubscriptions)
        case .tooMany: self.finish(tag, text: .tooManySubscriptions)
        case .failed: self.finish(tag, text: .unavailable)
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
