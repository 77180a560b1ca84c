import Access

/// Decisions in memory, with ten grants on the account of each user.
enum DecisionPaths {
    /// - Parameter users: 100,000 have a million grants.
    static func all(users: Int64) -> [Path] {
        let permissions = Permissions(users: users)
        let grants = "\(users * Permissions.grantsPerAccount)-grants"
        return [
            Path(
                name: "access-to-account-\(grants)",
                unit: "decision",
                rounds: 1_000_000,
                countedRounds: 2_000
            ) {
                let walk = Walk(permissions)
                return { rounds, meter in meter.measure { walk.access(rounds: rounds) } }
            },
            Path(
                name: "rights-in-folder-\(grants)",
                unit: "decision",
                rounds: 1_000_000,
                countedRounds: 2_000
            ) {
                let walk = Walk(permissions)
                return { rounds, meter in try walk.rights(rounds: rounds, meter: meter) }
            },
            Path(
                name: "accounts-of-user-\(grants)",
                unit: "list",
                rounds: 10_000,
                countedRounds: 200
            ) {
                let walk = Walk(permissions)
                return { rounds, meter in meter.measure { walk.accounts(rounds: rounds) } }
            },
        ]
    }
}

/// Decides on one account after another in the order of a random walk: neighbours share the caches
/// of the processor.
private final class Walk {
    private let now = Moment(seconds: 1_000_000)
    private let permissions: Permissions
    private var number: Int64 = 0
    /// What was decided, so that the compiler leaves no decision out.
    private var found = 0

    init(_ permissions: Permissions) {
        self.permissions = permissions
    }

    private func next() -> Int64 {
        self.number += 1
        return self.number &* 7_919 % self.permissions.users + 1
    }

    /// What a user may do on an account that others have granted.
    func access(rounds: Int) {
        for _ in 0..<rounds {
            let account = self.next()
            let access = self.permissions.snapshot.access(
                of: self.permissions.delegate(of: account, index: self.number),
                to: AccountID(account),
                at: self.now
            )
            if access.isVisible { self.found += 1 }
        }
    }

    /// The rights in a folder, as a session asks for them: its access to the account is known.
    func rights(rounds: Int, meter: Meter) throws {
        guard let folder = FolderPath(octets: Array("Akten/2026".utf8)) else { return }
        let access = self.permissions.snapshot.access(
            of: self.permissions.delegate(of: 1, index: 1),
            to: AccountID(1),
            at: self.now
        )
        guard access.rights(in: folder).contains(.read) else {
            throw UnexpectedAnswer("no right", expected: "the right to read")
        }
        meter.measure {
            for _ in 0..<rounds where access.rights(in: folder).contains(.read) { self.found += 1 }
        }
    }

    /// The accounts that a user sees.
    func accounts(rounds: Int) {
        for _ in 0..<rounds {
            let user = UserID(self.next())
            let accounts = self.permissions.snapshot.accounts(visibleTo: user, at: self.now)
            self.found += accounts.count
        }
    }
}
