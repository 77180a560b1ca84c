import Support
import Testing

@testable import Access

/// Groups in groups, with cycles too: the store refuses them, and a damaged file may have one.
@Suite struct GroupMembershipsTests {
    private static func group(_ id: Int64, _ members: Subject...) -> Group {
        Group(id: GroupID(id), name: "g\(id)", members: members)
    }

    private static func group(in id: Int64) -> Subject { .group(GroupID(id)) }
    private static func user(_ id: Int64) -> Subject { .user(UserID(id)) }

    @Test func `a user is in each group above, by the shortest path`() {
        let memberships = GroupMemberships([
            Self.group(1, Self.group(in: 2), Self.group(in: 3)), Self.group(2, Self.group(in: 3)),
            Self.group(3, Self.user(7)), Self.group(4, Self.user(8)),
        ])
        #expect(
            memberships.groups(of: UserID(7)) == [
                GroupID(1): [GroupID(1), GroupID(3)], GroupID(2): [GroupID(2), GroupID(3)],
                GroupID(3): [GroupID(3)],
            ]
        )
        #expect(memberships.groups(of: UserID(9)).isEmpty)
        #expect(memberships.groups(containing: GroupID(3)) == [GroupID(1), GroupID(2), GroupID(3)])
        #expect(memberships.groups(containing: GroupID(1)) == [GroupID(1)])
        // One that nothing is known of contains itself.
        #expect(memberships.groups(containing: GroupID(99)) == [GroupID(99)])
    }

    @Test func `a cycle ends`() {
        let memberships = GroupMemberships([
            Self.group(1, Self.group(in: 2)), Self.group(2, Self.group(in: 3)),
            Self.group(3, Self.group(in: 1), Self.user(7)), Self.group(4, Self.group(in: 4)),
        ])
        let all: Set<GroupID> = [GroupID(1), GroupID(2), GroupID(3)]
        #expect(Set(memberships.groups(of: UserID(7)).keys) == all)
        #expect(memberships.groups(containing: GroupID(2)) == all)
        #expect(memberships.groups(containing: GroupID(4)) == [GroupID(4)])
    }

    @Test func `everyone is a member of nothing, and a missing group passes`() {
        let memberships = GroupMemberships([
            Self.group(1, .everyone, Self.group(in: 55), Self.user(7))
        ])
        #expect(memberships.groups(of: UserID(7)) == [GroupID(1): [GroupID(1)]])
        #expect(memberships.groups(containing: GroupID(55)) == [GroupID(55), GroupID(1)])
    }

    @Test func `both directions agree on random groups`() {
        var generator = Seeded(state: 24)
        for _ in 0..<500 {
            let world = World(&generator)
            let memberships = GroupMemberships(world.groups)
            for group in world.groups {
                for other in world.groups {
                    let isAbove = memberships.groups(containing: group.id).contains(other.id)
                    #expect(
                        isAbove == world.isOrContains(.group(other.id), .group(group.id))
                    )
                }
                for user in world.users {
                    let path = memberships.groups(of: user.id)[group.id]
                    #expect(
                        (path != nil) == world.isOrContains(.group(group.id), .user(user.id))
                    )
                    guard let path else { continue }
                    #expect(path.first == group.id)
                    // Each step of the path is a member of the one before, and the last has the user.
                    for (outer, inner) in zip(path, path.dropFirst()) {
                        let members = world.groups.first { $0.id == outer }?.members ?? []
                        #expect(members.contains(.group(inner)))
                    }
                    let last = world.groups.first { $0.id == path.last }
                    #expect(last?.members.contains(.user(user.id)) == true)
                }
            }
        }
    }
}
