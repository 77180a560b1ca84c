/// A group as `gatepost group list` prints it, in text and in JSON.
package struct GroupRow: Codable, Equatable, Sendable {
    /// The group's name, without the prefix `group:`.
    package var name: String
    /// Logins, and `group:NAME` for a group inside this one; sorted.
    package var members: [String]
    /// The filter (RFC 4515) of the directory's groups whose members these are; nil, and not
    /// written, for a group with members of its own.
    package var ldap: String?

    /// Creates a row without checking that the group exists.
    package init(name: String, members: [String], ldap: String? = nil) {
        self.name = name
        self.members = members
        self.ldap = ldap
    }
}
