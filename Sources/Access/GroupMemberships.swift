/// Which group contains which users and groups, directly or through other groups.
struct GroupMemberships: Sendable {
    /// The direct members of each group.
    private var members: PersistentTable<GroupID, PersistentTable<Subject, Bool>> = .init()
    /// The groups that each user and group is a direct member of.
    private var containers: PersistentTable<Subject, SortedKeys<GroupID>> = .init()

    /// An empty set of groups.
    init() {}

    init(_ groups: [Group]) {
        var containers: [Subject: [GroupID]] = [:]
        var members: [(GroupID, PersistentTable<Subject, Bool>)] = []
        for group in groups {
            let direct = group.members.filter { $0 != .everyone }
            members.append((group.id, PersistentTable(direct.map { ($0, true) })))
            for member in direct { containers[member, default: []].append(group.id) }
        }
        self.members = PersistentTable(members)
        self.containers = PersistentTable(containers.map { ($0.key, SortedKeys($0.value)) })
    }

    /// The groups that contain a user, each with its path: the shortest chain of groups from that
    /// group down to the one with the user.
    ///
    /// The store refuses cycles. The walk up enters no group twice, so that it ends in a damaged
    /// store, too.
    func groups(of user: UserID) -> [GroupID: [GroupID]] {
        var paths: [GroupID: [GroupID]] = [:]
        var level: [(GroupID, [GroupID])] = (self.containers[.user(user)] ?? .init())
            .map { ($0, [$0]) }
        while !level.isEmpty {
            var next: [(GroupID, [GroupID])] = []
            for (group, path) in level where paths[group] == nil {
                paths[group] = path
                for outer in self.containers[.group(group)] ?? .init() {
                    next.append((outer, [outer] + path))
                }
            }
            level = next
        }
        return paths
    }

    /// A group, and every group that contains it.
    func groups(containing group: GroupID) -> Set<GroupID> {
        var found: Set<GroupID> = [group]
        var waiting = [group]
        while let current = waiting.popLast() {
            for container in self.containers[.group(current)] ?? .init()
            where found.insert(container).inserted {
                waiting.append(container)
            }
        }
        return found
    }

    /// The direct members of a group, in no order.
    func members(of group: GroupID) -> [Subject] {
        (self.members[group]?.keys).map(Array.init) ?? []
    }

    /// Adds the users in some groups, directly or through other groups.
    func insertUsers(of groups: Set<GroupID>, into users: inout Set<UserID>) {
        var seen = groups
        var waiting = Array(groups)
        while let current = waiting.popLast() {
            guard let members = self.members[current] else { continue }
            for member in members.keys {
                switch member {
                case .user(let user): users.insert(user)
                case .group(let inner): if seen.insert(inner).inserted { waiting.append(inner) }
                case .everyone: continue
                }
            }
        }
    }

    /// Makes a subject a direct member of a group, or no member.
    mutating func set(_ member: Subject, in group: GroupID, isMember: Bool) {
        guard member != .everyone else { return }
        self.members[group, default: .init()][member] = isMember ? true : nil
        if isMember {
            self.containers[member, default: .init()].insert(group)
        } else if var containers = self.containers[member] {
            containers.remove(group)
            self.containers[member] = containers.isEmpty ? nil : containers
        }
    }

    /// Removes a group, with its members and from the groups that contain it.
    mutating func remove(_ group: GroupID) {
        for member in self.members(of: group) {
            self.set(member, in: group, isMember: false)
        }
        self.members[group] = nil
        for outer in self.containers[.group(group)] ?? .init() {
            self.set(.group(group), in: outer, isMember: false)
        }
    }
}
