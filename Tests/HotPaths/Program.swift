import Access

/// `HotPaths [USERS]`: what decisions cost, in memory and without sockets.
@main
enum Program {
    private static let rounds: Int64 = 1_000_000

    static func main() {
        let users = CommandLine.arguments.dropFirst().first.flatMap(Int64.init) ?? 100_000
        let permissions = Permissions(users: users)
        let snapshot = permissions.snapshot
        let now = Moment(seconds: 1_000_000)
        guard let folder = FolderPath(octets: Array("Akten/2026".utf8)) else { return }
        var allowed: Int64 = 0
        // The order of a random walk: neighbours share the caches of the processor.
        func account(_ round: Int64) -> Int64 { round &* 7_919 % users + 1 }
        Self.measure("access of a user to an account") { round in
            let account = account(round)
            let user = permissions.delegate(of: account, index: round)
            let access = snapshot.access(of: user, to: AccountID(account), at: now)
            if access.isVisible { allowed += 1 }
        }
        let access = snapshot.access(
            of: permissions.delegate(of: 1, index: 1),
            to: AccountID(1),
            at: now
        )
        Self.measure("rights in a folder") { _ in
            if access.rights(in: folder).contains(.read) { allowed += 1 }
        }
        var seen = 0
        Self.measure("accounts of a user", rounds: Self.rounds / 100) { round in
            seen += snapshot.accounts(visibleTo: UserID(account(round)), at: now).count
        }
        print("decisions that allow: \(allowed); accounts: \(seen)")
    }

    private static func measure(
        _ name: String,
        rounds: Int64 = Program.rounds,
        body: (Int64) -> Void
    ) {
        let clock = ContinuousClock()
        let time = clock.measure { for round in 0..<rounds { body(round) } }
        print("\(name): \(Int64(time / .nanoseconds(1)) / rounds) ns")
    }
}
