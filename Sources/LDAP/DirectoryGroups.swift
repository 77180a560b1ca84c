/// Groups of a directory, and what to read of the people in them.
package struct DirectoryGroups: Equatable, Sendable {
    /// The base of the groups: the groups that match the filter are below it.
    package var base: String
    /// The filter (RFC 4515) for the groups. Groups within them need not match.
    package var filter: String
    /// The base of the people and of the groups within groups, such as the root of the directory.
    package var memberBase: String
    /// The attribute with the names to log in with, such as `mail`.
    package var loginAttribute: String
    /// The attribute of people that `memberUid` of a POSIX group contains (RFC 2307).
    package var userIDAttribute: String
    /// The most people and groups.
    package var maximumMembers: Int

    package init(
        base: String,
        filter: String,
        memberBase: String,
        loginAttribute: String,
        userIDAttribute: String = "uid",
        maximumMembers: Int
    ) {
        self.base = base
        self.filter = filter
        self.memberBase = memberBase
        self.loginAttribute = loginAttribute
        self.userIDAttribute = userIDAttribute
        self.maximumMembers = maximumMembers
    }
}

/// The people in groups, directly or through other groups.
package struct DirectoryMembership: Equatable, Sendable {
    package struct Person: Equatable, Sendable {
        /// The distinguished name.
        package var name: String
        /// The values of the login attribute; at least one.
        package var logins: [String]
    }

    /// Each person once, in no particular order.
    package var people: [Person] = []
    /// The number of groups.
    package var groups = 0
    /// Members that give no person: names and user IDs without an entry, or with several, and
    /// names of entries without a login attribute. They are the server's texts.
    package var unresolved: [String] = []
}
