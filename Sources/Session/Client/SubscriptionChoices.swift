package import Access

/// The folders that a user has subscribed to or unsubscribed from, in all accounts whose
/// subscriptions the gateway stores.
///
/// Built off the event loop, because a user may have made thousands of choices.
package struct SubscriptionChoices: Sendable {
    /// The choices in one account.
    struct Account: Sendable {
        /// Sorted by octets.
        fileprivate(set) var subscribed: [FolderPath] = []
        fileprivate var subscribedSet = OctetStringSet()
        fileprivate var unsubscribed = OctetStringSet()

        /// Whether the user has unsubscribed from any folder.
        var hasUnsubscribed: Bool { self.unsubscribed.count > 0 }

        /// Octets of all paths.
        var octets: Int { self.subscribedSet.octetCount + self.unsubscribed.octetCount }

        /// The user's choice about a folder; nil without one.
        subscript(folder: FolderPath) -> Bool? {
            if self.unsubscribed.contains(folder) { return false }
            return self.subscribedSet.contains(folder) ? true : nil
        }

        /// The same without the folders that the user has subscribed to.
        var withoutSubscribed: Account {
            var account = Account()
            account.unsubscribed = self.unsubscribed
            return account
        }
    }

    private(set) var accounts: [AccountID: Account] = [:]

    /// - Parameter subscriptions: the stored choices, in any order.
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

    /// The choices in an account; none if the user has made none there.
    subscript(account: AccountID) -> Account { self.accounts[account] ?? Account() }

    /// Octets of all paths.
    var octets: Int { self.accounts.values.reduce(0) { $0 + $1.octets } }

    /// Replaces the choices in each account, or removes them if the result is nil.
    func compactMap(_ change: (AccountID, Account) -> Account?) -> SubscriptionChoices {
        var choices = SubscriptionChoices()
        for (account, known) in self.accounts { choices.accounts[account] = change(account, known) }
        return choices
    }
}

/// The folders of an account that are subscribed before the user has made a choice.
enum SubscriptionBase: Equatable {
    /// Those that are subscribed at the account's server. They are the user's own, and the gateway
    /// stores none.
    case own
    /// Those that are subscribed at the account's server: the user starts with the owner's.
    case owner
    /// All folders that can be opened.
    case every
    /// No folder.
    case none

    /// Whether the account's server has to be asked.
    var isOnServer: Bool { self == .own || self == .owner }
}
