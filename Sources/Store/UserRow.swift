/// A user as the command line shows it.
package struct UserRow: Codable, Equatable, Sendable {
    package var login: String
    @Nullable package var name: String?
    @Nullable package var role: String?
    package var disabled: Bool
    /// Who the user is at the operating system, for who has a role or decides as an owner there.
    @Nullable package var osUser: String?

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

extension UserRow {
    static func fetch(
        _ transaction: StoreTransaction,
        sql: String,
        arguments: StoreArguments
    ) throws -> [UserRow] {
        try transaction.rows(sql: sql, arguments: arguments).map { row in
            UserRow(
                login: row["login"],
                name: row["name"],
                role: row["role"],
                disabled: row["disabled"],
                osUser: row["osUser"]
            )
        }
    }
}
