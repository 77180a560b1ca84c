package import Access

/// What an access review is made of, as of one moment.
package struct AccessReview: Sendable {
    /// Who made a grant, when and why.
    package struct Origin: Sendable {
        /// The author.
        package var author: String
        /// Seconds since 1970.
        package var created: Int64
        /// The reason that the author gave; nil for none.
        package var reason: String?
    }

    /// The rules on the accounts about the users of the review.
    package let snapshot: Snapshot
    /// The accounts of the review, sorted by address.
    package let accounts: [Account]
    /// The users of the review; nil for all.
    package let users: Set<UserID>?
    /// The origin of each grant in the snapshot, by the grant's number.
    package let origins: [Int64: Origin]
}

/// Reading of what an access review needs.
extension PermissionStore {
    /// Reads the rules for a review of one account, of one subject, or both, in one transaction;
    /// of the whole store without a filter.
    /// - Parameters:
    ///   - account: Any address of the account.
    ///   - subject: A login, or `group:NAME` for the members of a group.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account or subject.
    package func review(account: String?, subject: String?) throws -> AccessReview {
        try self.read { transaction in
            let account = try account.map { try transaction.accountID(text: $0) }
            let subject = try subject.map { try transaction.subject(text: $0) }
            return try transaction.review(account: account, subject: subject)
        }
    }
}

/// Reading of a review, inside a transaction.
extension StoreTransaction {
    /// The rules for a review; the keys are nil for all accounts and for all users.
    fileprivate func review(account: Int64?, subject: Subject?) throws -> AccessReview {
        guard account != nil || subject != nil else {
            let snapshot = try self.snapshot(generation: 0).access
            return AccessReview(
                snapshot: snapshot,
                accounts: snapshot.accounts.values.sorted { $0.address < $1.address },
                users: nil,
                origins: try self.origins()
            )
        }
        var users = try subject.map { try self.users(in: [$0]) }
        if users == nil, let account { users = try self.usersNamed(on: account) }
        let named = users ?? []
        let accounts = try account.map { [$0] } ?? self.accountsNaming(named)
        let subjects = Set([Subject.everyone] + named.map { .user($0) })
        let snapshot = try self.rules(on: accounts, about: subjects)
        return AccessReview(
            snapshot: snapshot,
            accounts: snapshot.accounts.values.sorted { $0.address < $1.address },
            users: named,
            origins: try self.origins(where: RowFilter("account", in: accounts))
        )
    }

    /// The users among these subjects and in these groups, directly or through other groups.
    private func users(in subjects: some Sequence<Subject>) throws -> Set<UserID> {
        var users: Set<UserID> = []
        var groups: Set<Int64> = []
        var waiting = Array(subjects)
        while !waiting.isEmpty {
            var found: Set<Int64> = []
            for subject in waiting {
                switch subject {
                case .user(let user): users.insert(user)
                case .group(let group):
                    if groups.insert(group.rawValue).inserted { found.insert(group.rawValue) }
                case .everyone:
                    users.formUnion(
                        try self.values(of: Int64.self, sql: "SELECT id FROM user").map(UserID.init)
                    )
                }
            }
            waiting = []
            try RowFilter("\"group\"", in: found).forEach(
                self,
                of: "SELECT \"group\", user, inner FROM member"
            ) { waiting.append(Self.subject($0, group: "inner")) }
        }
        return users
    }

    /// The owner of an account, and the users whom a rule on it names or reaches through groups.
    private func usersNamed(on account: Int64) throws -> Set<UserID> {
        var subjects: Set<Subject> = []
        let filter = RowFilter("account", in: [account])
        for (table, everyone) in [("\"grant\"", ", everyone"), ("withdrawal", ""), ("wall", "")] {
            try filter.forEach(
                self,
                of: "SELECT DISTINCT user, \"group\"\(everyone) FROM \(table)"
            ) { subjects.insert(Self.subject($0)) }
        }
        let owners = try self.values(
            of: Int64.self,
            sql: "SELECT owner FROM account WHERE id = ? AND owner IS NOT NULL",
            arguments: [account]
        )
        return try self.users(in: subjects.union(owners.map { .user(UserID($0)) }))
    }

    /// The accounts that users own, and those with a rule that names one of them, one of their
    /// groups, or everyone.
    private func accountsNaming(_ users: Set<UserID>) throws -> [Int64] {
        let groups = try self.loadGroups(above: Set(users.map { .user($0) }))
        let byUser = RowFilter("user", in: users.map(\.rawValue))
        let byGroup = RowFilter("\"group\"", in: groups.map(\.id.rawValue))
        var accounts: Set<Int64> = []
        for table in ["\"grant\"", "withdrawal", "wall"] {
            for filter in [byUser, byGroup] {
                try filter.forEach(self, of: "SELECT DISTINCT account FROM \(table)") {
                    accounts.insert($0[0])
                }
            }
        }
        try RowFilter("owner", in: users.map(\.rawValue)).forEach(
            self,
            of: "SELECT id FROM account"
        ) {
            accounts.insert($0[0])
        }
        try RowFilter("everyone = 1").forEach(self, of: "SELECT DISTINCT account FROM \"grant\"") {
            accounts.insert($0[0])
        }
        return Array(accounts)
    }

    /// The origins of grants, by number.
    /// - Parameter filter: A condition on the table `grant`.
    private func origins(where filter: RowFilter = .all) throws -> [Int64: AccessReview.Origin] {
        var origins: [Int64: AccessReview.Origin] = [:]
        try filter.forEach(self, of: "SELECT id, author, created, reason FROM \"grant\"") { row in
            origins[row[0]] = AccessReview.Origin(
                author: row[1],
                created: row[2],
                reason: row[3]
            )
        }
        return origins
    }
}
