package import Access

/// The folders that a user subscribed to or unsubscribed from, of all accounts whose subscriptions the gateway keeps.
///
/// Built off the event loop: a user may have decided about thousands of folders.
package struct SubscriptionChoices: Sendable {
    /// What the user decided in one account.
    struct Account: Sendable {
        /// In the order of their octets.
        fileprivate(set) var subscribed: [FolderPath] = []
        fileprivate var subscribedSet = OctetStringSet()
        fileprivate var unsubscribed = OctetStringSet()

        /// Whether the user unsubscribed from any folder.
        var hasUnsubscribed: Bool { self.unsubscribed.count > 0 }

        /// Octets of all paths.
        var octets: Int { self.subscribedSet.octetCount + self.unsubscribed.octetCount }

        /// What the user decided about a folder; nil where that is nothing.
        subscript(folder: FolderPath) -> Bool? {
            if self.unsubscribed.contains(folder) { return false }
            return self.subscribedSet.contains(folder) ? true : nil
        }

        /// The same without the folders that the user subscribed to.
        var withoutSubscribed: Account {
            var account = Account()
            account.unsubscribed = self.unsubscribed
            return account
        }
    }

    private(set) var accounts: [AccountID: Account] = [:]

    package init(_ subscriptions: some Sequence<Subscription> = []) {
        for one in subscriptions {
            if one.isSubscribed {
                self.accounts[one.account, default: Account()].subscribed.append(one.folder)
                self.accounts[one.account]?.subscribedSet.insert(one.folder)
            } else {
                self.accounts[one.account, default: Account()].unsubscribed.insert(one.folder)
            }
        }
        for account in self.accounts.keys { self.accounts[account]?.subscribed.sort() }
    }

    subscript(account: AccountID) -> Account { self.accounts[account] ?? Account() }

    /// Octets of all paths.
    var octets: Int { self.accounts.values.reduce(0) { $0 + $1.octets } }

    /// Changes what is known of each account, or drops it.
    func compactMap(_ change: (AccountID, Account) -> Account?) -> SubscriptionChoices {
        var choices = SubscriptionChoices()
        for (account, known) in self.accounts { choices.accounts[account] = change(account, known) }
        return choices
    }
}

/// Which folders of an account are subscribed before the user decided about any of them.
enum SubscriptionBase: Equatable {
    /// Those that the account's server says. They are the user's own, and the gateway keeps none.
    case own
    /// Those that the account's server says: the user begins with the owner's.
    case owner
    /// All that can be opened.
    case every
    case none

    /// Whether the account's server is asked.
    var isOnServer: Bool { self == .own || self == .owner }
}
