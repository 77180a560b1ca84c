import Access
package import LDAP
package import Store

/// The groups of the directory.
extension DirectorySettings {
    /// The time for one search, in seconds. A login waits less.
    private static let answerSeconds = 60
    /// The time for the members of one group, in seconds.
    private static let membershipSeconds = 240
    /// The time for all servers, in seconds.
    private static let totalSeconds = 300
    /// The most people and groups in one group.
    private static let maximumMembers = 100_000

    /// The people in the directory's groups that match a filter, directly or through other groups.
    ///
    /// Blocks for five minutes at most.
    /// - Throws: ``DirectoryError`` if they cannot be read as a whole, and if no group matches: a
    ///   group that is gone is no group without members.
    package func people(inGroups filter: String) throws(DirectoryError) -> DirectoryGroupPeople {
        guard case .search(let search) = self.lookup else {
            throw .failed(
                "authentication.ldap has bindAs, with which the directory is not searched: set "
                    + "base, filter, account and passwordFile instead"
            )
        }
        var servers = self.servers
        servers.limits.answerSeconds = Self.answerSeconds
        servers.limits.membershipSeconds = Self.membershipSeconds
        servers.totalSeconds = Self.totalSeconds
        let groups = DirectoryGroups(
            base: search.groupBase,
            filter: filter,
            memberBase: DirectoryName.commonSuperior(of: search.base, and: search.groupBase)
                ?? search.base,
            loginAttribute: search.loginAttribute,
            maximumMembers: Self.maximumMembers
        )
        let found = try servers.perform { connection throws(DirectoryError) in
            try search.account.bind(connection)
            return try connection.members(of: groups)
        }
        guard found.groups > 0 else {
            throw .failed(
                "no group below \(search.groupBase) matches \(filter): correct the directory or "
                    + "authentication.ldap.groupBase, or remove the group and add it with another filter"
            )
        }
        return DirectoryGroupPeople(
            logins: found.people.map(\.logins),
            unresolved: found.unresolved,
            moment: .current
        )
    }
}
