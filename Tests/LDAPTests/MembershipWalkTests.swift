import Testing

@testable import LDAP

/// The walk from groups to people, in directories that are dictionaries.
struct MembershipWalkTests {
    private typealias Attributes = [String: [String]]

    private static func entry(_ name: String, _ attributes: Attributes) -> DirectoryEntry {
        var entry = DirectoryEntry(name: name)
        for (attribute, values) in attributes {
            guard let description = AttributeDescription(Array(attribute.utf8)) else { continue }
            entry.add(description, values: values.map { Array($0.utf8) })
        }
        return entry
    }

    /// The members of a group in a directory.
    private static func members(
        of group: String,
        in directory: [String: Attributes],
        maximum: Int = 1_000
    ) throws(DirectoryError) -> (DirectoryMembership, reads: Int) {
        var walk = MembershipWalk(
            DirectoryGroups(
                base: "dc=x",
                filter: "(cn=*)",
                memberBase: "dc=x",
                loginAttribute: "mail",
                maximumMembers: maximum
            )
        )
        let entries = directory.mapValues { $0 }
        try walk.start(with: [Self.entry(group, entries[group] ?? [:])])
        var reads = 0
        while let names = try walk.next(count: 3) {
            reads += names.count
            let found = names.compactMap { name in entries[name].map { Self.entry(name, $0) } }
            try walk.add(found, for: names)
        }
        let userIDs = walk.allUserIDs
        let owners = entries.filter { !($0.value["uid"] ?? []).isEmpty }
        try walk.add(owners.map { Self.entry($0.key, $0.value) }, userIDs: userIDs)
        return (walk.membership, reads)
    }

    private static func logins(_ membership: DirectoryMembership) -> [String] {
        membership.people.flatMap(\.logins).sorted()
    }

    @Test func `people of nested groups are found once, in cycles too`() throws {
        let (membership, reads) = try Self.members(
            of: "cn=g",
            in: [
                "cn=g": ["member": ["cn=a", "cn=h", "CN=A"]],
                "cn=h": ["uniqueMember": ["cn=b#'0101'B", "cn=a", "cn=g", "cn=h"]],
                "cn=a": ["mail": ["a@kanzlei.example", "a2@kanzlei.example"]],
                "cn=b": ["mail": ["b@kanzlei.example"]],
            ]
        )
        #expect(
            Self.logins(membership)
                == ["a2@kanzlei.example", "a@kanzlei.example", "b@kanzlei.example"]
        )
        #expect(membership.groups == 2)
        #expect(membership.unresolved.isEmpty)
        #expect(reads == 3)
    }

    @Test func `members without an entry or a login are reported`() throws {
        let (membership, _) = try Self.members(
            of: "cn=g",
            in: [
                "cn=g": ["member": ["cn=gone", "cn=c", "nonsense", ""]],
                "cn=c": ["objectClass": ["person"]],
            ]
        )
        #expect(membership.people.isEmpty)
        #expect(membership.unresolved.sorted() == ["", "cn=c", "cn=gone", "nonsense"])
    }

    @Test func `an empty group is no person`() throws {
        let (membership, _) = try Self.members(
            of: "cn=g",
            in: [
                "cn=g": ["member": ["cn=e"]],
                "cn=e": ["objectClass": ["top", "Group"], "mail": ["team@kanzlei.example"]],
            ]
        )
        #expect(membership == DirectoryMembership(groups: 2))
    }

    @Test func `a user ID of two people is nobody's`() throws {
        let (membership, _) = try Self.members(
            of: "cn=g",
            in: [
                "cn=g": ["memberUid": ["Anna", "bob", "carl"]],
                "cn=a": ["uid": ["anna"], "mail": ["a@kanzlei.example"]],
                "cn=b1": ["uid": ["bob"], "mail": ["b1@kanzlei.example"]],
                "cn=b2": ["uid": ["BOB"], "mail": ["b2@kanzlei.example"]],
            ]
        )
        #expect(Self.logins(membership) == ["a@kanzlei.example"])
        #expect(membership.unresolved.sorted() == ["bob", "carl"])
    }

    /// A chain of groups with a person at its end.
    private static func chain(_ levels: Int) -> [String: Attributes] {
        var directory: [String: Attributes] = ["cn=p": ["mail": ["p@kanzlei.example"]]]
        for level in 0...levels {
            let next = level == levels ? "cn=p" : "cn=g\(level + 1)"
            directory["cn=g\(level)"] = ["member": [next]]
        }
        return directory
    }

    @Test func `groups nest up to a depth, and fail below it`() throws {
        let (membership, _) = try Self.members(of: "cn=g0", in: Self.chain(20))
        #expect(Self.logins(membership) == ["p@kanzlei.example"])
        #expect(throws: DirectoryError.self) {
            try Self.members(of: "cn=g0", in: Self.chain(21))
        }
    }

    @Test func `a group with too many members fails`() throws {
        let directory: [String: Attributes] = [
            "cn=g": ["member": (0..<10).map { "cn=\($0)" }]
        ]
        _ = try Self.members(of: "cn=g", in: directory, maximum: 11)
        #expect(throws: DirectoryError.tooManyEntries(10)) {
            try Self.members(of: "cn=g", in: directory, maximum: 10)
        }
    }

    @Test(arguments: [
        ("cn=a#'0101'B", "cn=a"), ("cn=a#''B", "cn=a"), ("cn=a", "cn=a"), ("", ""),
        ("cn=a#'012'B", "cn=a#'012'B"), ("cn=#04", "cn=#04"), ("'B", "'B"), ("#'B", "#'B"),
        ("cn=x#y#'1'B", "cn=x#y"),
    ])
    func `a unique ID is no part of the name`(value: String, expected: String) {
        #expect(MembershipWalk.withoutUniqueID(value) == expected)
    }
}
