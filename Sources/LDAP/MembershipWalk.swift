/// The walk from groups to the people in them, level by level. It decides what to read next.
struct MembershipWalk {
    /// The deepest level of groups within groups.
    static let maximumDepth = 20

    private static let groupClasses: Set<String> = [
        "group", "groupofnames", "groupofuniquenames", "posixgroup", "groupofmembers",
        "groupofentries", "groupofurls", "rolegroup",
    ]

    private let groups: DirectoryGroups
    /// The normalized names of all members and groups: each is read once, so that cycles end.
    private var seen: Set<String> = []
    /// The user IDs in lower case.
    private var userIDs: [String: String] = [:]
    private var level: [String] = []
    private var nextLevel: [String] = []
    private var depth = 0
    private(set) var membership = DirectoryMembership()

    init(_ groups: DirectoryGroups) {
        self.groups = groups
    }

    /// The attributes that the walk reads.
    var attributes: [String] {
        ["objectClass", "member", "uniqueMember", "memberUid", self.groups.loginAttribute]
    }

    /// The user IDs of POSIX groups so far.
    var allUserIDs: [String] { Array(self.userIDs.values) }

    /// Adds the groups to start from.
    mutating func start(with groups: [DirectoryEntry]) throws(DirectoryError) {
        for group in groups where self.seen.insert(self.key(of: group.name)).inserted {
            try self.addGroup(group)
        }
    }

    /// The next members to read.
    /// - Returns: nil when all are read.
    /// - Throws: `failed` if groups nest too deep: the rest would be missing.
    mutating func next(count: Int) throws(DirectoryError) -> [String]? {
        if self.level.isEmpty {
            guard !self.nextLevel.isEmpty else { return nil }
            (self.level, self.nextLevel) = (self.nextLevel, [])
            self.depth += 1
            guard self.depth <= Self.maximumDepth + 1 else {
                throw .failed("groups nest deeper than \(Self.maximumDepth) levels")
            }
        }
        let names = Array(self.level.suffix(count))
        self.level.removeLast(names.count)
        return names
    }

    /// Adds the entries of members.
    /// - Parameter names: the names that were asked for: those without an entry are unresolved.
    mutating func add(
        _ entries: [DirectoryEntry],
        for names: [String]
    ) throws(DirectoryError) {
        var missing = Dictionary(names.map { (self.key(of: $0), $0) }) { first, _ in first }
        for entry in entries {
            let key = self.key(of: entry.name)
            if missing.removeValue(forKey: key) == nil {
                // The server's spelling of the name differs from the group's.
                guard self.seen.insert(key).inserted else { continue }
            }
            if self.isGroup(entry) {
                try self.addGroup(entry)
            } else {
                self.addPerson(entry)
            }
        }
        self.membership.unresolved += missing.values
    }

    /// Adds the people with user IDs that POSIX groups contain.
    /// - Parameters:
    ///   - entries: the entries that have one of the user IDs.
    ///   - userIDs: the user IDs that were asked for.
    mutating func add(_ entries: [DirectoryEntry], userIDs: [String]) throws(DirectoryError) {
        let found = Dictionary(
            grouping: entries.flatMap { entry in
                entry.strings(of: self.groups.userIDAttribute).map { ($0.lowercased(), entry) }
            },
            by: \.0
        )
        for userID in userIDs {
            // A user ID of two people is nobody's: one of them might not be meant.
            guard let owners = found[userID.lowercased()], owners.count == 1,
                let entry = owners.first?.1
            else {
                self.membership.unresolved.append(userID)
                continue
            }
            guard self.seen.insert(self.key(of: entry.name)).inserted else { continue }
            try self.checkCount()
            self.addPerson(entry)
        }
    }

    private func isGroup(_ entry: DirectoryEntry) -> Bool {
        ["member", "uniqueMember", "memberUid"].contains { !entry.values(of: $0).isEmpty }
            || entry.strings(of: "objectClass").contains {
                Self.groupClasses.contains($0.lowercased())
            }
    }

    private mutating func addGroup(_ group: DirectoryEntry) throws(DirectoryError) {
        self.membership.groups += 1
        let unique = group.values(of: "uniqueMember").map(DirectoryName.text(of:))
        let names =
            group.values(of: "member").map(DirectoryName.text(of:))
            + unique.map(Self.withoutUniqueID)
        for name in names where self.seen.insert(self.key(of: name)).inserted {
            self.nextLevel.append(name)
            try self.checkCount()
        }
        for userID in group.strings(of: "memberUid") {
            self.userIDs[userID.lowercased()] = userID
            try self.checkCount()
        }
    }

    private mutating func addPerson(_ entry: DirectoryEntry) {
        let logins = entry.strings(of: self.groups.loginAttribute)
        guard !logins.isEmpty else {
            self.membership.unresolved.append(entry.name)
            return
        }
        self.membership.people.append(DirectoryMembership.Person(name: entry.name, logins: logins))
    }

    private func checkCount() throws(DirectoryError) {
        guard max(self.seen.count, self.userIDs.count) <= self.groups.maximumMembers else {
            throw .tooManyEntries(self.groups.maximumMembers)
        }
    }

    /// A text that is no name is its own key: the server answers that it has no entry.
    private func key(of name: String) -> String {
        DirectoryName.normalized(name) ?? name
    }

    /// The name in a value of `uniqueMember` (RFC 4517 §3.3.21).
    ///
    /// ```
    /// NameAndOptionalUID = distinguishedName [ SHARP BitString ]
    /// BitString          = SQUOTE *binary-digit SQUOTE "B"
    /// ```
    static func withoutUniqueID(_ value: String) -> String {
        guard value.hasSuffix("'B"), let sharp = value.lastIndex(of: "#") else { return value }
        let end = value[sharp...]
        let bits = end.dropFirst(2).dropLast(2)
        guard end.hasPrefix("#'"), end.utf8.count >= "#''B".utf8.count,
            bits.allSatisfy({ $0 == "0" || $0 == "1" })
        else {
            return value
        }
        return String(value[..<sharp])
    }
}
