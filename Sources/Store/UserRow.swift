/// A user as `gatepost user list` prints it, in text and in JSON, and as a document has it. It
/// has no password.
package struct UserRow: Codable, Equatable, Sendable {
    /// The normalized login.
    package var login: String
    /// The display name.
    @Nullable package var name: String?
    /// `administrator` or `settings`; nil for none.
    @Nullable package var role: String?
    /// Whether the user can neither log in nor act at the command line.
    package var disabled: Bool
    /// The operating-system user with whom this user's role, or an owner's decision, is
    /// connected.
    @Nullable package var osUser: String?

    /// Creates a row without checking it.
    package init(
        login: String,
        name: String?,
        role: String?,
        disabled: Bool,
        osUser: String? = nil
    ) {
        self.login = login
        self.name = name
        self.role = role
        self.disabled = disabled
        self.osUser = osUser
    }
}

/// Reading of users.
extension StoreTransaction {
    /// Users, sorted by login.
    /// - Parameter filter: A condition on the table `user`.
    func userRows(where filter: RowFilter = .all) throws -> [UserRow] {
        var users: [UserRow] = []
        try filter.forEach(
            self,
            of: "SELECT login, name, role, disabled, osUser FROM user",
            order: "ORDER BY login"
        ) { row in
            users.append(
                UserRow(
                    login: row[0],
                    name: row[1],
                    role: row[2],
                    disabled: row[3],
                    osUser: row[4]
                )
            )
        }
        return users
    }
}
