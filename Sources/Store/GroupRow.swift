/// A group as the command line shows it.
package struct GroupRow: Codable, Equatable, Sendable {
    package var name: String
    /// Logins, and `group:NAME`.
    package var members: [String]

    package init(name: String, members: [String]) {
        self.name = name
        self.members = members
    }
}
