package import Access
import Foundation

/// What users decided about subscriptions of folders that are not their own.
extension PermissionStore {
    /// More subscriptions than this no user has: each LSUB looks through all of them.
    package static let maximumSubscriptions = 2_000
    /// More folders than this no user has unsubscribed from. It is more than anybody does by hand, and the rows of a
    /// user who does it by a program take a few megabytes.
    package static let maximumUnsubscriptions = 10_000

    /// The folders that a user subscribed to, and those that the user unsubscribed from.
    package func subscriptions(of user: UserID) throws -> [Subscription] {
        try self.read { transaction in
            try transaction.rows(
                sql: "SELECT account, folder, isSubscribed FROM subscription WHERE user = ?",
                arguments: [user.rawValue]
            ).compactMap { row in
                FolderPath(octets: Array(row["folder"] as Data)).map {
                    Subscription(
                        account: AccountID(row["account"]),
                        folder: $0,
                        isSubscribed: row["isSubscribed"]
                    )
                }
            }
        }
    }

    /// Records what a user decided about a folder. It goes by the name: it stays when the folder is deleted, and
    /// counts for one that is created again.
    ///
    /// Subscriptions decide nothing, so the revision stays as it is.
    ///
    /// - Returns: `changed`, or `tooMany` where there is no room for it.
    package func setSubscription(_ change: SubscriptionChange) throws -> SubscriptionOutcome {
        let key: [any StoreValue] = [
            change.user.rawValue, change.account.rawValue, Data(change.folder.octets),
        ]
        return try self.write { transaction in
            guard change.kind != .forget else {
                try transaction.execute(
                    sql: "DELETE FROM subscription WHERE user = ? AND account = ? AND folder = ?",
                    arguments: StoreArguments(key)
                )
                return .changed
            }
            let isSubscribed = change.kind == .subscribe
            let known = try transaction.value(
                of: Bool.self,
                sql: """
                    SELECT isSubscribed FROM subscription
                    WHERE user = ? AND account = ? AND folder = ?
                    """,
                arguments: StoreArguments(key)
            )
            guard known != isSubscribed else { return .changed }
            let count = try transaction.value(
                of: Int.self,
                sql: "SELECT COUNT(*) FROM subscription WHERE user = ? AND isSubscribed = ?",
                arguments: [change.user.rawValue, isSubscribed]
            )
            let limit =
                isSubscribed ? PermissionStore.maximumSubscriptions : Self.maximumUnsubscriptions
            guard count ?? 0 < limit else { return .tooMany }
            try transaction.execute(
                sql: """
                    INSERT INTO subscription (user, account, folder, isSubscribed)
                    VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET isSubscribed = excluded.isSubscribed
                    """,
                arguments: StoreArguments(key + [isSubscribed])
            )
            return .changed
        }
    }
}
