/// The model as of one moment, with names instead of keys.
package struct StoreInventory: Sendable {
    /// All users, sorted by login.
    package var users: [UserRow]
    /// All groups, sorted by name.
    package var groups: [GroupRow]
    /// All accounts, sorted by primary address.
    package var accounts: [AccountRow]
    /// All grants, local and imported.
    package var grants: [GrantRow]

    package init(
        users: [UserRow] = [],
        groups: [GroupRow] = [],
        accounts: [AccountRow] = [],
        grants: [GrantRow] = []
    ) {
        self.users = users
        self.groups = groups
        self.accounts = accounts
        self.grants = grants
    }
}

extension PermissionStore {
    /// Reads users, groups, accounts and grants in one transaction.
    package func inventory() throws -> StoreInventory {
        try self.read { transaction in
            StoreInventory(
                users: try transaction.userRows(),
                groups: try transaction.groupRows(),
                accounts: try transaction.accountRows(),
                grants: try transaction.grants().map(\.row)
            )
        }
    }
}
