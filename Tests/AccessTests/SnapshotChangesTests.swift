import Support
import Testing

@testable import Access

/// A snapshot that is derived from the one before it, against one that is built from all rows.
@Suite struct SnapshotChangesTests {
    private static let moments = (Int64(0)...3).map { Moment(seconds: $0) }

    /// The rows with this key before and after, where they differ.
    private static func differences<Key: Hashable, Row: Equatable>(
        of before: [Key: Row],
        and after: [Key: Row]
    ) -> [Key: Row?] {
        var differences: [Key: Row?] = [:]
        for key in Set(before.keys).union(after.keys) where before[key] != after[key] {
            differences.updateValue(after[key], forKey: key)
        }
        return differences
    }

    private static func keyed<Key: Hashable, Row>(_ rows: [Row], by key: (Row) -> Key) -> [Key: Row]
    {
        Dictionary(rows.map { (key($0), $0) }) { first, _ in first }
    }

    private static func members(of world: World) -> [GroupID: [Subject: Bool]] {
        Self.keyed(world.groups, by: \.id).mapValues { group in
            Dictionary(group.members.map { ($0, true) }) { first, _ in first }
        }
    }

    static func change(from before: World, to after: World, revision: Int64) -> SnapshotChange {
        var change = SnapshotChange(revision: revision)
        change.users = Self.differences(
            of: Self.keyed(before.users, by: \.id),
            and: Self.keyed(after.users, by: \.id)
        )
        change.groups = Self.differences(
            of: Self.keyed(before.groups, by: \.id).mapValues(\.name),
            and: Self.keyed(after.groups, by: \.id).mapValues(\.name)
        )
        let (had, has) = (Self.members(of: before), Self.members(of: after))
        for group in after.groups.map(\.id) {
            let members = Self.differences(of: had[group] ?? [:], and: has[group] ?? [:])
            if !members.isEmpty { change.members[group] = members.mapValues { $0 ?? false } }
        }
        change.accounts = Self.differences(
            of: Self.keyed(before.accounts, by: \.id),
            and: Self.keyed(after.accounts, by: \.id)
        )
        for index in Int64(1)...3 {
            let account = AccountID(index)
            let grants = Self.differences(
                of: Self.keyed(before.grants.filter { $0.account == account }, by: \.id),
                and: Self.keyed(after.grants.filter { $0.account == account }, by: \.id)
            )
            if !grants.isEmpty { change.grants[account] = grants }
            change.withdrawals[account] = after.withdrawals.filter { $0.account == account }
            change.walls[account] = after.walls.filter { $0.account == account }
        }
        return change
    }

    /// Everything that a session can ask about one user.
    private static func answers(of snapshot: Snapshot, for user: UserID) -> [String] {
        var answers = [
            "\(String(describing: snapshot.users[user]))",
            "\(String(describing: snapshot.personalAccount(of: user)))",
            "\(snapshot.ownAddresses(of: user))",
            "\(snapshot.names(of: user).sorted())",
        ]
        for moment in Self.moments {
            answers.append("\(snapshot.accounts(visibleTo: user, at: moment))")
            for account in (Int64(1)...4).map(AccountID.init) {
                let access = snapshot.access(of: user, to: account, at: moment)
                answers.append("\(access.scoped) \(access.send) \(access.isOwner)")
                answers.append("\(access.reasons) \(String(describing: access.validUntil))")
            }
        }
        return answers
    }

    private static func shared(_ snapshot: Snapshot) throws -> [String] {
        var answers: [String] = ["\(snapshot.revision)"]
        for index in Int64(1)...4 {
            for name in ["u", "a", "b"] {
                let address = try #require(Address("\(name)\(index)@kanzlei.example".utf8))
                answers.append("\(String(describing: snapshot.user(login: address)))")
                answers.append("\(String(describing: snapshot.account(address: address)))")
            }
            let group = snapshot.name(of: .group(GroupID(index)))
            let outer = snapshot.memberships.groups(containing: GroupID(index)).sorted()
            answers.append("\(group ?? "") \(outer)")
            answers.append("\(snapshot.grants(awaiting: UserID(index)))")
            for folder in World.folders {
                let path = try #require(FolderPath(octets: Array(folder.utf8)))
                for moment in Self.moments {
                    let list = snapshot.accessControlList(
                        of: path,
                        in: AccountID(index),
                        at: moment
                    )
                    answers.append("\(list)")
                }
            }
        }
        return answers.map { $0.count > 2_000 ? String($0.prefix(2_000)) : $0 }
    }

    /// Another world of which about half the rows are those of a first one.
    private static func mixed(
        _ one: World,
        _ other: World,
        using generator: inout some RandomNumberGenerator
    ) -> World {
        var world = other
        func pick<Row>(_ rows: [Row], _ others: [Row]) -> [Row] {
            rows.indices.compactMap { index in
                if Bool.random(using: &generator) { return rows[index] }
                return others.indices.contains(index) ? others[index] : nil
            }
        }
        // Whole: a login or an address must not occur twice.
        if Bool.random(using: &generator) { world.users = one.users }
        if Bool.random(using: &generator) { world.accounts = one.accounts }
        if Bool.random(using: &generator) { world.groups = one.groups }
        if Bool.random(using: &generator) { world.grants = pick(one.grants, other.grants) }
        if Bool.random(using: &generator) { world.withdrawals = one.withdrawals }
        if Bool.random(using: &generator) { world.walls = one.walls }
        return world
    }

    @Test func `a derived snapshot decides as one that is built from all rows`() throws {
        var generator = Seeded(state: 22)
        for _ in 0..<60 {
            var world = World(&generator)
            var snapshot = world.snapshot
            for revision in Int64(2)...8 {
                var after = Self.mixed(world, World(&generator), using: &generator)
                after.exchangeNames(using: &generator)
                let change = Self.change(from: world, to: after, revision: revision)
                let next = snapshot.applying(change)
                let built = after.snapshot(revision: revision)
                #expect(try Self.shared(next) == Self.shared(built))
                let affected = snapshot.usersAffected(by: change, next: next)
                for user in (Int64(1)...5).map(UserID.init) {
                    let answers = Self.answers(of: next, for: user)
                    #expect(answers == Self.answers(of: built, for: user))
                    if !affected.contains(user) {
                        #expect(answers == Self.answers(of: snapshot, for: user))
                    }
                }
                (world, snapshot) = (after, next)
            }
        }
    }

    @Test func `a change of one grant affects its subject alone`() throws {
        let login = try #require(Address("u@kanzlei.example".utf8))
        let address = try #require(Address("a@kanzlei.example".utf8))
        func grant(_ id: Int64, to subject: Subject, until: Int64? = nil) -> Grant {
            Grant(
                id: id,
                account: AccountID(1),
                subject: subject,
                rights: .all,
                until: until.map(Moment.init(seconds:))
            )
        }
        let before = Snapshot(
            revision: 1,
            users: [User(id: UserID(1), login: login)],
            groups: [Group(id: GroupID(1), name: "g", members: [.user(UserID(7))])],
            accounts: [Account(id: AccountID(1), address: address, owner: UserID(1))],
            grants: [grant(1, to: .user(UserID(2)), until: 50)],
            withdrawals: [],
            walls: []
        )
        func affected(_ edit: (inout SnapshotChange) -> Void) -> AffectedUsers {
            var change = SnapshotChange(revision: 2)
            edit(&change)
            return before.usersAffected(by: change, next: before.applying(change))
        }
        #expect(
            affected { $0.grants = [AccountID(1): [2: grant(2, to: .user(UserID(3)))]] }
                == .some([UserID(3)])
        )
        #expect(affected { $0.grants = [AccountID(1): [1: .none]] } == .some([UserID(2)]))
        #expect(
            affected { $0.grants = [AccountID(1): [2: grant(2, to: .group(GroupID(1)))]] }
                == .some([UserID(7)])
        )
        #expect(affected { $0.grants = [AccountID(1): [2: grant(2, to: .everyone)]] } == .all)
        #expect(
            affected { $0.members = [GroupID(1): [.user(UserID(8)): true]] } == .some([UserID(8)])
        )
        #expect(affected { $0.groups = [GroupID(1): .none] } == .some([UserID(7)]))
        #expect(affected { $0.accounts = [AccountID(1): .none] } == .some([UserID(1), UserID(2)]))
        let wall = Wall(account: AccountID(1), subject: .user(UserID(9)), reason: "x")
        #expect(affected { $0.walls = [AccountID(1): [wall]] } == .some([UserID(9)]))
        let end = Moment(seconds: 50)
        #expect(before.nextExpiry(after: Moment(seconds: 49)) == end)
        #expect(before.nextExpiry(after: end) == nil)
        #expect(
            before.usersAffected(byExpiriesAfter: Moment(seconds: 49), through: end)
                == .some([UserID(2)])
        )
        #expect(before.usersAffected(byExpiriesAfter: end, through: end) == .some([]))
    }

    @Test func `a list of many grants answers as a list of few`() throws {
        var generator = Seeded(state: 7)
        var list = GrantList()
        var rows: [Int64: Grant] = [:]
        for round in 0..<2_000 {
            // Grows to about a hundred grants, then shrinks.
            let id = Int64.random(in: 0..<200, using: &generator)
            let isAdded = Int.random(in: 0..<10, using: &generator) < (round < 1_000 ? 7 : 3)
            #expect(list.remove(id) == rows.removeValue(forKey: id))
            if isAdded {
                let grant = Grant(
                    id: id,
                    account: AccountID(1),
                    subject: World.subject(below: 5, using: &generator),
                    rights: World.rights(using: &generator)
                )
                list.insert(grant)
                rows[id] = grant
            }
            let expected = rows.values.sorted { $0.id < $1.id }
            #expect(list.count == expected.count)
            guard round % 20 == 0 else { continue }
            #expect(list.all == expected)
            #expect(GrantList(expected.shuffled(using: &generator)).all == expected)
            let subjects: [Subject: [GroupID]] = [.user(UserID(1)): [], .group(GroupID(2)): []]
            #expect(
                list.grants(of: subjects) == expected.filter { subjects[$0.subject] != nil }
            )
            #expect(list.names(.everyone) == false)
        }
    }

    @Test func `sorted keys hold each key once`() {
        var generator = Seeded(state: 9)
        var keys = SortedKeys<Int>()
        var expected: Set<Int> = []
        for _ in 0..<1_000 {
            let key = Int.random(in: 0..<50, using: &generator)
            if Bool.random(using: &generator) {
                keys.insert(key)
                expected.insert(key)
            } else {
                keys.remove(key)
                expected.remove(key)
            }
            #expect(Array(keys) == expected.sorted())
            #expect(keys.contains(key) == expected.contains(key))
            #expect(keys.first(after: key) == expected.filter { $0 > key }.min())
        }
        #expect(Array(SortedKeys([3, 1, 3, 2])) == [1, 2, 3])
    }
}
