/// A group as `gatepost group list` prints it, in text and in JSON.
package struct GroupRow: Codable, Equatable, Sendable {
    /// The group's name, without the prefix `group:`.
    package var name: String
    /// Logins, and `group:NAME` for a group inside this one; sorted.
    package var members: [String]

    /// Creates a row without checking that the group exists.
    package init(name: String, members: [String]) {
        self.name = name
        self.members = members
    }
}
