package import Access
import Foundation

/// Subscriptions (RFC 9051 §6.3.7) of folders in accounts that the user does not own.
extension PermissionStore {
    /// The most subscriptions of one user. Each LSUB reads all of them, so without a limit one
    /// user could slow the gateway down for everybody.
    package static let maximumSubscriptions = 2_000
    /// The most folders that one user may unsubscribe from. Nobody does more by hand, and the
    /// rows of a user who does it by a program take a few megabytes.
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

    /// Stores a user's decision about a folder name. The decision stays when the folder is
    /// deleted, and applies to a folder that is created again under the name.
    ///
    /// Subscriptions do not affect access, so the revision stays as it is and the audit log
    /// gets no record.
    ///
    /// - Returns: `changed`, or `tooMany` at ``maximumSubscriptions`` or
    ///   ``maximumUnsubscriptions``.
    package func setSubscription(_ change: SubscriptionChange) throws -> SubscriptionOutcome {
        let key: [any StoreValue] = [
            change.user.rawValue, change.account.rawValue, Data(change.folder.octets),
        ]
        return try self.write(locking: .journal) { transaction in
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
                    ON CONFLICT (user, account, folder) DO UPDATE SET
                    isSubscribed = excluded.isSubscribed
                    """,
                arguments: StoreArguments(key + [isSubscribed])
            )
            return .changed
        }
    }
}
