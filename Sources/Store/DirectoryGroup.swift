package import Access

/// What is known of the reading of a group's members from the directory.
package struct DirectoryGroupState: Codable, Equatable, Sendable {
    /// The filter (RFC 4515) of the directory's groups.
    package var filter: String
    /// The last attempt to read the members, in seconds since 1970; nil if there was none.
    @Nullable package var tried: Int64?
    /// The last success, in seconds since 1970; nil if there was none.
    @Nullable package var read: Int64?
    /// The reason why the last attempt failed; nil if it did not.
    @Nullable package var failure: String?
    /// Members there who are no users here, sorted. They get nothing.
    package var unknown: [String]
}

/// A group as `gatepost group show` prints it.
package struct GroupDetails: Encodable, Equatable, Sendable {
    /// The group's name, without the prefix `group:`.
    package var name: String
    /// Logins, and `group:NAME` for a group inside this one; sorted.
    package var members: [String]
    /// The directory that the members come from; nil, and not written, for other groups.
    package var directory: DirectoryGroupState?
}

/// A group whose members come from the directory.
package struct DirectoryGroup: Equatable, Sendable {
    package var name: String
    /// The filter (RFC 4515) of the directory's groups.
    package var filter: String

    package init(name: String, filter: String) {
        self.name = name
        self.filter = filter
    }
}

/// The people whom a directory has in a group.
package struct DirectoryGroupPeople: Equatable, Sendable {
    /// The logins of each person; at least one. All are the same person's.
    package var logins: [[String]]
    /// Names of members that give no person.
    package var unresolved: [String]
    /// When they were read.
    package var moment: Moment

    package init(logins: [[String]], unresolved: [String], moment: Moment) {
        self.logins = logins
        self.unresolved = unresolved
        self.moment = moment
    }
}

/// What a reading of a group's members changed.
package struct DirectoryGroupChange: Equatable, Sendable {
    /// New members, sorted.
    package var joined: [String] = []
    /// Members who are none any more, sorted.
    package var left: [String] = []
    /// Members there who are no users here, sorted.
    package var unknown: [String] = []

    /// Whether the members are the same as before.
    var isEmpty: Bool { self.joined.isEmpty && self.left.isEmpty }
}
