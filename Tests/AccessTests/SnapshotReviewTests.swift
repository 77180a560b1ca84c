import Support
import Testing

@testable import Access

/// The review of an account visits the users whom its rules reach, and returns what a decision for
/// every user would.
@Suite struct SnapshotReviewTests {
    private static func isBarred(_ access: AccountAccess) -> Bool {
        access.reasons.contains { reason in
            switch reason {
            case .wall, .withdrawal: true
            default: false
            }
        }
    }

    /// Decides for every user.
    private static func naive(
        _ snapshot: Snapshot,
        _ account: Account,
        users: Set<UserID>?,
        at moment: Moment
    ) -> [String] {
        snapshot.users.values.sorted { $0.login < $1.login }.compactMap { user in
            guard !user.isDisabled, users?.contains(user.id) ?? true else { return nil }
            let access = snapshot.access(of: user.id, to: account.id, at: moment)
            guard access.anywhere != [] || access.send != .none || Self.isBarred(access) else {
                return nil
            }
            return "\(user.login) \(access)"
        }
    }

    @Test(arguments: 1...8)
    func `a review has the rows of a decision for each user`(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        for _ in 0..<150 {
            let snapshot = World(&generator).snapshot
            for moment in (Int64(0)...3).map({ Moment(seconds: $0) }) {
                for users in [nil, [UserID(1), UserID(3)]] as [Set<UserID>?] {
                    var review = SnapshotReview(snapshot, users: users, at: moment)
                    for account in snapshot.accounts.values {
                        let rows = review.access(to: account).map {
                            "\($0.user.login) \($0.access)"
                        }
                        #expect(
                            rows
                                == Self.naive(snapshot, account, users: users, at: moment)
                        )
                    }
                }
            }
        }
    }

    @Test func `the users of a disabled account have no rows`() throws {
        let address = try #require(Address("a@kanzlei.example".utf8))
        let user = User(id: UserID(1), login: address)
        let account = Account(
            id: AccountID(1),
            address: address,
            owner: user.id,
            isDisabled: true
        )
        let snapshot = Snapshot(
            revision: 1,
            users: [user],
            groups: [],
            accounts: [account],
            grants: [],
            withdrawals: [],
            walls: []
        )
        var review = SnapshotReview(snapshot, at: Moment(seconds: 0))
        #expect(review.access(to: account).isEmpty)
    }

    /// As many users as accounts, two grants on each account.
    private static func snapshot(_ count: Int64) throws -> Snapshot {
        let users = try (0..<count).map { number in
            User(
                id: UserID(number),
                login: try #require(Address("u\(number)@kanzlei.example".utf8))
            )
        }
        return Snapshot(
            revision: 1,
            users: users,
            groups: [],
            accounts: users.map { user in
                Account(id: AccountID(user.id.rawValue), address: user.login, owner: user.id)
            },
            grants: (0..<count * 2).map { number in
                Grant(
                    id: number,
                    account: AccountID(number / 2),
                    subject: .user(UserID((number * 7 + 1) % count)),
                    rights: .view
                )
            },
            withdrawals: [],
            walls: []
        )
    }

    private static func time(_ count: Int64) throws -> Duration {
        let snapshot = try Self.snapshot(count)
        var review = SnapshotReview(snapshot, at: Moment(seconds: 0))
        var rows = 0
        let time = ContinuousClock().measure {
            for account in snapshot.accounts.values { rows += review.access(to: account).count }
        }
        #expect(rows > count * 2 && rows <= count * 3)
        return time
    }

    @Test(.timeLimit(.minutes(20)))
    func `the time of a review grows as its rows do`() throws {
        // Quadratic work takes 64 times as long for eight times the accounts. Another process may
        // hold the processor in one attempt.
        var best = Double.infinity
        for _ in 0..<4 where best > 24 {
            let few = try Self.time(500)
            best = min(best, try Self.time(4_000) / few)
        }
        #expect(best <= 24, "\(best)")
    }
}
