import Access

/// A store of the usual shape in memory: one account for each user, ten grants on each account, the
/// first one for a group, and groups of twenty.
struct Permissions {
    static let grantsPerAccount: Int64 = 10
    private static let groupSize: Int64 = 20

    let users: Int64
    let snapshot: Snapshot

    init(users: Int64) {
        self.users = users
        let groups = max(users / Self.groupSize, 1)
        var builder = SnapshotBuilder()
        builder.setGroups(
            (0..<groups).map { group in
                Group(
                    id: GroupID(group + 1),
                    name: "g\(group + 1)",
                    members: (1...Self.groupSize).map {
                        .user(UserID(group * Self.groupSize + $0))
                    }
                )
            }
        )
        for number in 1...users {
            guard let address = Address("u\(number)@corp.example".utf8) else { continue }
            builder.insert(User(id: UserID(number), login: address))
            builder.insert(
                Account(
                    id: AccountID(number),
                    address: address,
                    owner: UserID(number)
                )
            )
            builder.set(
                (0..<Self.grantsPerAccount).map { index in
                    let user = (number + index * 13) % users + 1
                    return Grant(
                        id: number * Self.grantsPerAccount + index,
                        account: AccountID(number),
                        subject: index == 0
                            ? .group(GroupID(number * 7 % groups + 1)) : .user(UserID(user)),
                        rights: .view,
                        send: .none,
                        scope: .account,
                        source: .local
                    )
                },
                on: AccountID(number)
            )
        }
        self.snapshot = Snapshot(revision: 1, builder: builder)
    }

    /// A user who has a grant on an account.
    func delegate(of account: Int64, index: Int64) -> UserID {
        UserID((account + (index % (Self.grantsPerAccount - 1) + 1) * 13) % self.users + 1)
    }
}
