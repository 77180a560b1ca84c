/// Who is in which group, directly or through other groups.
struct GroupMemberships: Sendable {
    /// Each user's groups, with the path from the group down to the user.
    private let paths: [UserID: [GroupID: [GroupID]]]
    /// Each group's members that are groups, turned around.
    private let containers: [GroupID: [GroupID]]

    /// Walks down from each group; a group that was seen on the way is not entered again, so that
    /// a cycle, which the store refuses, ends all the same.
    init(_ groups: [Group]) {
        let members = Dictionary(groups.map { ($0.id, $0.members) }) { first, _ in first }
        var paths: [UserID: [GroupID: [GroupID]]] = [:]
        for group in groups {
            var seen: Set<GroupID> = [group.id]
            var waiting: [(GroupID, [GroupID])] = [(group.id, [group.id])]
            while let (current, path) = waiting.popLast() {
                for member in members[current] ?? [] {
                    switch member {
                    case .everyone: continue
                    case .user(let user):
                        let known = paths[user]?[group.id]
                        guard known.map({ $0.count > path.count }) ?? true else { continue }
                        paths[user, default: [:]][group.id] = path
                    case .group(let inner):
                        guard seen.insert(inner).inserted else { continue }
                        waiting.append((inner, path + [inner]))
                    }
                }
            }
        }
        self.paths = paths
        self.containers = members.reduce(into: [:]) { containers, entry in
            for case .group(let inner) in entry.value {
                containers[inner, default: []].append(entry.key)
            }
        }
    }

    /// The groups that contain a user, each with the groups in between.
    func groups(of user: UserID) -> [GroupID: [GroupID]] { self.paths[user] ?? [:] }

    /// A group, and every group that contains it.
    func groups(containing group: GroupID) -> Set<GroupID> {
        var found: Set<GroupID> = [group]
        var waiting = [group]
        while let current = waiting.popLast() {
            for container in self.containers[current] ?? []
            where found.insert(container).inserted {
                waiting.append(container)
            }
        }
        return found
    }
}
