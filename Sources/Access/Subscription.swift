/// What a user decided about the subscription of one folder of an account, as the gateway's store keeps it.
package struct Subscription: Hashable, Sendable {
    package var account: AccountID
    package var folder: FolderPath
    /// Whether the user subscribed to the folder, or unsubscribed from it.
    package var isSubscribed: Bool

    package init(account: AccountID, folder: FolderPath, isSubscribed: Bool = true) {
        self.account = account
        self.folder = folder
        self.isSubscribed = isSubscribed
    }
}

/// What a user decides about the subscription of one folder that is not the user's own.
package struct SubscriptionChange: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case subscribe
        case unsubscribe
        /// Keep nothing: the folder is subscribed, or not, as one that its user never decided about.
        case forget
    }

    package var user: UserID
    package var account: AccountID
    package var folder: FolderPath
    package var kind: Kind

    package init(user: UserID, account: AccountID, folder: FolderPath, kind: Kind) {
        self.user = user
        self.account = account
        self.folder = folder
        self.kind = kind
    }
}

/// What became of a change that was to be recorded.
package enum SubscriptionOutcome: Equatable, Sendable {
    case changed
    case tooMany
    case failed
}
