/// The permission model at one revision of the store, immutable.
package final class Snapshot: Sendable {
    /// The store's revision: each change increments it.
    package let revision: Int64
    /// The users by key.
    package let users: [UserID: User]
    /// The groups by key.
    package let groups: [GroupID: Group]
    /// The accounts by key.
    package let accounts: [AccountID: Account]
    /// The grants by account, in the order of their creation.
    let grants: [AccountID: [Grant]]
    /// The withdrawals by account.
    let withdrawals: [AccountID: [Withdrawal]]
    /// The walls by account.
    let walls: [AccountID: [Wall]]
    /// The keys of the users by login.
    private let logins: [Address: UserID]
    /// The keys of the accounts by primary address and alias.
    private let addresses: [Address: AccountID]
    /// The groups of each user.
    let memberships: GroupMemberships
    /// The accounts, sorted by primary address.
    private let accountsByAddress: [Account]
    // A change of the store is evaluated for all sessions at once. A session evaluates only the
    // accounts that concern its user.
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

    /// A copy in which only owners have access: no user sees or sends from another user's account.
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

    /// The user with a login.
    package func user(login: Address) -> User? {
        self.logins[login].flatMap { self.users[$0] }
    }

    /// The account with an address.
    /// - Parameter address: the primary address or an alias.
    package func account(address: Address) -> Account? {
        self.addresses[address].flatMap { self.accounts[$0] }
    }

    /// Whether the user exists and is not disabled.
    package func isEnabled(_ user: UserID) -> Bool {
        self.users[user].map { !$0.isDisabled } ?? false
    }

    /// The next time at which a grant ends: decisions change then without a new snapshot.
    package func nextExpiry(after moment: Moment) -> Moment? {
        self.grants.values.joined().compactMap(\.until).filter { $0 > moment }.min()
    }

    /// The accounts that appear in the user's listing, sorted by address.
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

    /// The account that a session of the user shows without a prefix.
    ///
    /// It is the owned account with the login's address, else the first owned account by address.
    package func personalAccount(of user: UserID) -> AccountID? {
        let owned = (self.accountsByOwner[user] ?? []).filter { !$0.isDisabled }
        let login = self.users[user]?.login
        return (owned.first { $0.address == login } ?? owned.first)?.id
    }

    /// The grants on an account to any of the subjects, in the order of their creation.
    func grants(of subjects: [Subject: [GroupID]], on account: AccountID) -> [Grant] {
        guard let bySubject = self.grantsBySubject[account] else { return [] }
        // Iterate over the smaller of both.
        guard subjects.count < bySubject.count else {
            return (self.grants[account] ?? []).filter { subjects[$0.subject] != nil }
        }
        return subjects.keys.flatMap { bySubject[$0] ?? [] }.sorted { $0.id < $1.id }
    }

    /// The user, `everyone`, and every group that contains the user, each with its path.
    func subjects(of user: UserID) -> [Subject: [GroupID]] {
        var subjects: [Subject: [GroupID]] = [.user(user): [], .everyone: []]
        for (group, path) in self.memberships.groups(of: user) { subjects[.group(group)] = path }
        return subjects
    }

    /// The access control list of a folder (RFC 4314 §3.6): the owner, then each subject with a
    /// grant, then the negative rights.
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
            // Of several Exchange entries only those with the best precedence count.
            if case .user(let user) = subject, self.accounts[account]?.kind == .exchange {
                rights = self.granted(to: user, on: account, at: moment).rights(in: folder)
            }
            guard !rights.isEmpty, let name = self.name(of: subject) else { continue }
            entries.append((name, rights))
        }
        // A withdrawal or a wall is printed as negative rights (RFC 4314 §2).
        let taken =
            (self.withdrawals[account] ?? []).filter(\.view).map(\.subject)
            + (self.walls[account] ?? []).map(\.subject)
        for subject in Set(taken).compactMap(self.name).sorted() {
            entries.append(("-\(subject)", .all))
        }
        return entries
    }

    /// The names of a user in grants: the login, `group:NAME` for each group, and `anyone`.
    package func names(of user: UserID) -> [String] {
        self.subjects(of: user).keys.compactMap(self.name)
    }

    /// The name of a subject: a login, `group:NAME` or `anyone` (RFC 4314 §3).
    package func name(of subject: Subject) -> String? {
        switch subject {
        case .user(let user): self.users[user]?.login.description
        case .group(let group): self.groups[group].map { "group:\($0.name)" }
        case .everyone: "anyone"
        }
    }
}
