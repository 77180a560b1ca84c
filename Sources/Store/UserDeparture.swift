/// What was a user's when the user left, and what became of it, as `gatepost user leave` prints
/// it, in text and in JSON.
package struct UserDeparture: Codable, Equatable, Sendable {
    /// The user's login.
    package var login: String
    /// The login of the accounts' next owner; nil for none.
    @Nullable package var successor: String?
    /// The primary addresses of the accounts that the user owned, sorted.
    package var accounts: [String]
    /// The grants to the user. Imported ones come back with the next import as long as Exchange
    /// has them.
    package var grants: [GrantRow]
    /// The groups that the user was a direct member of, without the prefix `group:`; sorted.
    package var groups: [String]
    /// Those of ``groups`` whose members come from the directory: it may add the user again.
    package var directoryGroups: [String]
    /// The names of the user's app passwords, sorted.
    package var appPasswords: [String]
    /// The user's role; nil for none.
    @Nullable package var role: String?
    /// The operating-system user; nil for none.
    @Nullable package var osUser: String?
    /// Whether the user was disabled before.
    package var wasDisabled: Bool
    /// The walls that barred the user, in person or through a group. Each stays in effect: a wall
    /// against a group becomes one against the user as well.
    package var walls: [WallRow]
    /// The withdrawals from the user, in person or through a group. They stay in effect likewise.
    package var withdrawals: [WithdrawalRow]
}

extension UserDeparture {
    /// The lines of the audit record.
    var lines: [String] {
        let owner = self.successor.map { "owner \($0)" } ?? "no owner"
        var lines = self.accounts.map { "account \($0): \(owner)" }
        lines += self.grants.map { "grant \($0.id) removed: \($0.line)" }
        lines += self.groups.map { "left group:\($0)" }
        lines += self.appPasswords.map { "app password \($0) revoked" }
        if let role = self.role { lines.append("role \(role) removed") }
        if let osUser = self.osUser { lines.append("os-user \(osUser) removed") }
        lines += self.walls.filter { $0.subject != self.login }.map {
            "wall at \($0.account) stays, without \($0.subject)"
        }
        lines += self.withdrawals.filter { $0.subject != self.login }.map {
            "withdrawal at \($0.account) stays, without \($0.subject)"
        }
        return lines + ["password removed, disabled"]
    }
}
