package import Access

/// The rules about one user on one account, as of one moment.
package struct Explanation: Sendable {
    /// The user, the account and every rule on it about the user. It decides about them as a
    /// snapshot of the whole store does.
    package let snapshot: Snapshot
    /// The grants on the account to the user and to the groups of the user, sorted by subject and
    /// folder; also those without effect.
    package let grants: [GrantRow]
}

/// Explanation of a decision.
extension PermissionStore {
    /// Reads only the rules about one user on one account, in one transaction.
    /// - Parameter account: Any address of the account.
    /// - Returns: A snapshot without the user or the account that does not exist.
    package func explanation(of login: Address, account: Address) throws -> Explanation {
        try self.read { transaction in
            let users = try transaction.values(
                of: Int64.self,
                sql: "SELECT id FROM user WHERE login = ?",
                arguments: [login.description]
            )
            let accounts = try transaction.values(
                of: Int64.self,
                sql: "SELECT account FROM address WHERE address = ?",
                arguments: [account.description]
            )
            let subjects = Set([Subject.everyone] + users.map { .user(UserID($0)) })
            let snapshot = try transaction.rules(on: accounts, about: subjects)
            let named = subjects.union(snapshot.groups.keys.map { .group($0) })
            let filter = RowFilter("g.account", in: accounts)
                .and(RowFilter(naming: named, table: "g."))
            return Explanation(
                snapshot: snapshot,
                grants: try transaction.grants(where: filter).map(\.row)
            )
        }
    }
}
