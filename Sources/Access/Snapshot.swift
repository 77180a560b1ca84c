/// The whole permission model at one moment, immutable.
package final class Snapshot: Sendable {
    /// Counts the changes of the store.
    package let revision: Int64
    package let users: [UserID: User]
    package let groups: [GroupID: Group]
    package let accounts: [AccountID: Account]
    let grants: [AccountID: [Grant]]
    let withdrawals: [AccountID: [Withdrawal]]
    let walls: [AccountID: [Wall]]
    private let logins: [Address: UserID]
    private let addresses: [Address: AccountID]
    let memberships: GroupMemberships
    private let accountsByAddress: [Account]
    // A store change is judged for every session at once: a session looks at the accounts that concern
    // its user, not at all accounts and their grants.
    private let grantsBySubject: [AccountID: [Subject: [Grant]]]
    private let accountsBySubject: [Subject: Set<AccountID>]
    private let accountsByOwner: [UserID: [Account]]

    package init(
        revision: Int64,
        users: [User],
        groups: [Group],
        accounts: [Account],
        grants: [Grant],
        withdrawals: [Withdrawal],
        walls: [Wall]
    ) {
        self.revision = revision
        self.users = Dictionary(users.map { ($0.id, $0) }) { first, _ in first }
        self.groups = Dictionary(groups.map { ($0.id, $0) }) { first, _ in first }
        self.accounts = Dictionary(accounts.map { ($0.id, $0) }) { first, _ in first }
        self.grants = Dictionary(grouping: grants.sorted { $0.id < $1.id }, by: \.account)
        self.withdrawals = Dictionary(grouping: withdrawals, by: \.account)
        self.walls = Dictionary(grouping: walls, by: \.account)
        self.logins = Dictionary(users.map { ($0.login, $0.id) }) { first, _ in first }
        self.addresses = Dictionary(
            accounts.flatMap { account in
                ([account.address] + account.aliases).map { ($0, account.id) }
            }
        ) { first, _ in first }
        self.accountsByAddress = accounts.sorted { $0.address < $1.address }
        self.memberships = GroupMemberships(groups)
        self.grantsBySubject = self.grants.mapValues { Dictionary(grouping: $0, by: \.subject) }
        self.accountsBySubject = grants.reduce(into: [:]) { accounts, grant in
            accounts[grant.subject, default: []].insert(grant.account)
        }
        self.accountsByOwner = self.accountsByAddress.reduce(into: [:]) { accounts, account in
            if let owner = account.owner { accounts[owner, default: []].append(account) }
        }
    }

    /// The same with owners alone: nobody sees, or sends from, what belongs to somebody else.
    package var withoutSharing: Snapshot {
        Snapshot(
            revision: self.revision,
            users: Array(self.users.values),
            groups: Array(self.groups.values),
            accounts: Array(self.accounts.values),
            grants: [],
            withdrawals: self.withdrawals.values.flatMap { $0 },
            walls: self.walls.values.flatMap { $0 }
        )
    }

    package func user(login: Address) -> User? {
        self.logins[login].flatMap { self.users[$0] }
    }

    /// - Parameter address: the primary address or an alias.
    package func account(address: Address) -> Account? {
        self.addresses[address].flatMap { self.accounts[$0] }
    }

    package func isEnabled(_ user: UserID) -> Bool {
        self.users[user].map { !$0.isDisabled } ?? false
    }

    /// When the next grant ends, after which the decisions differ without any change.
    package func nextExpiry(after moment: Moment) -> Moment? {
        self.grants.values.joined().compactMap(\.until).filter { $0 > moment }.min()
    }

    /// The accounts in which the user may look up anything, by address.
    package func accounts(visibleTo user: UserID, at moment: Moment) -> [Account] {
        guard self.isEnabled(user) else { return [] }
        let subjects = self.subjects(of: user)
        var granted: Set<AccountID> = []
        for subject in subjects.keys { granted.formUnion(self.accountsBySubject[subject] ?? []) }
        let others = granted.compactMap { self.accounts[$0] }.filter { account in
            account.owner != user && !account.isDisabled
                && self.access(of: subjects, to: account, at: moment).isVisible
        }
        let owned = (self.accountsByOwner[user] ?? []).filter { !$0.isDisabled }
        return (owned + others).sorted { $0.address < $1.address }
    }

    /// The account that a login shows as personal: the one with the login's address among those
    /// the user owns, else the first of them.
    package func personalAccount(of user: UserID) -> AccountID? {
        let owned = (self.accountsByOwner[user] ?? []).filter { !$0.isDisabled }
        let login = self.users[user]?.login
        return (owned.first { $0.address == login } ?? owned.first)?.id
    }

    /// The grants of an account to one of these subjects, in the order in which they were made.
    func grants(of subjects: [Subject: [GroupID]], on account: AccountID) -> [Grant] {
        guard let bySubject = self.grantsBySubject[account] else { return [] }
        // Whichever are fewer.
        guard subjects.count < bySubject.count else {
            return (self.grants[account] ?? []).filter { subjects[$0.subject] != nil }
        }
        return subjects.keys.flatMap { bySubject[$0] ?? [] }.sorted { $0.id < $1.id }
    }

    /// The user, and every group that contains the user, with the groups in between.
    func subjects(of user: UserID) -> [Subject: [GroupID]] {
        var subjects: [Subject: [GroupID]] = [.user(user): [], .everyone: []]
        for (group, path) in self.memberships.groups(of: user) { subjects[.group(group)] = path }
        return subjects
    }

    /// Rights of each subject in one folder, as RFC 4314 shows them: the owner, then those who are
    /// granted something.
    package func accessControlList(
        of folder: FolderPath,
        in account: AccountID,
        at moment: Moment
    ) -> [(identifier: String, rights: Rights)] {
        var entries: [(identifier: String, rights: Rights)] = []
        if let owner = self.accounts[account]?.owner, let user = self.users[owner] {
            entries.append((user.login.description, .all))
        }
        var granted: [Subject: Rights] = [:]
        var order: [Subject] = []
        for grant in self.grants[account] ?? []
        where grant.isInForce(at: moment) && grant.scope.covers(folder) && !grant.rights.isEmpty {
            if granted[grant.subject] == nil { order.append(grant.subject) }
            granted[grant.subject, default: []].formUnion(grant.rights)
        }
        for subject in order {
            guard var rights = granted[subject] else { continue }
            // Of several entries in Exchange not all count.
            if case .user(let user) = subject, self.accounts[account]?.kind == .exchange {
                rights = self.granted(to: user, on: account, at: moment).rights(in: folder)
            }
            guard !rights.isEmpty, let name = self.name(of: subject) else { continue }
            entries.append((name, rights))
        }
        // Negative rights (RFC 4314 §2) take away whatever is given.
        let taken =
            (self.withdrawals[account] ?? []).filter(\.view).map(\.subject)
            + (self.walls[account] ?? []).map(\.subject)
        for subject in Set(taken).compactMap(self.name).sorted() {
            entries.append(("-\(subject)", .all))
        }
        return entries
    }

    /// What a user is called in grants: the login, the user's groups, and `anyone`.
    package func names(of user: UserID) -> [String] {
        self.subjects(of: user).keys.compactMap(self.name)
    }

    /// A login, `group:NAME`, or `anyone` (RFC 4314 §3).
    package func name(of subject: Subject) -> String? {
        switch subject {
        case .user(let user): self.users[user]?.login.description
        case .group(let group): self.groups[group].map { "group:\($0.name)" }
        case .everyone: "anyone"
        }
    }
}
