/// The permission model at one revision of the store, immutable.
///
/// The next revision is derived from it by ``applying(_:)``: both share what did not change.
package final class Snapshot: Sendable {
    /// The tables, and the indexes that are derived from them.
    struct Tables: Sendable {
        var users: PersistentTable<UserID, User> = .init()
        /// The names of the groups.
        var groups: PersistentTable<GroupID, String> = .init()
        var accounts: PersistentTable<AccountID, Account> = .init()
        var grants: PersistentTable<AccountID, GrantList> = .init()
        var withdrawals: PersistentTable<AccountID, [Withdrawal]> = .init()
        var walls: PersistentTable<AccountID, [Wall]> = .init()
        var memberships = GroupMemberships()
        /// The keys of the users by login.
        var logins: PersistentTable<Address, UserID> = .init()
        /// The keys of the accounts by primary address and alias.
        var addresses: PersistentTable<Address, AccountID> = .init()
        /// The accounts with a grant to each subject.
        var accountsBySubject: PersistentTable<Subject, SortedKeys<AccountID>> = .init()
        var accountsByOwner: PersistentTable<UserID, SortedKeys<AccountID>> = .init()
        /// The times at which grants end. A time may stay here after its grant was removed.
        var expiries = SortedKeys<Expiry>()
    }

    /// The store's revision: each change increments it.
    package let revision: Int64
    let tables: Tables
    /// Whether grants count; if not, only owners have access.
    private let isSharing: Bool

    init(revision: Int64, tables: Tables, isSharing: Bool) {
        self.revision = revision
        self.tables = tables
        self.isSharing = isSharing
    }

    /// The users by key.
    package var users: PersistentTable<UserID, User> { self.tables.users }
    /// The accounts by key.
    package var accounts: PersistentTable<AccountID, Account> { self.tables.accounts }
    /// The groups by key. Each call builds all of them.
    package var groups: [GroupID: Group] {
        Dictionary(
            self.tables.groups.keys.compactMap { id in
                self.tables.groups[id].map { name in
                    (id, Group(id: id, name: name, members: self.memberships.members(of: id)))
                }
            }
        ) { first, _ in first }
    }
    /// The groups that contain each user.
    var memberships: GroupMemberships { self.tables.memberships }
    /// The withdrawals by account.
    var withdrawals: PersistentTable<AccountID, [Withdrawal]> { self.tables.withdrawals }
    /// The walls by account.
    var walls: PersistentTable<AccountID, [Wall]> { self.tables.walls }

    /// The same revision in which only owners have access: no user sees or sends from another
    /// user's account.
    package var withoutSharing: Snapshot {
        Snapshot(revision: self.revision, tables: self.tables, isSharing: false)
    }

    /// The user with a login.
    package func user(login: Address) -> User? {
        self.tables.logins[login].flatMap { self.users[$0] }
    }

    /// The account with an address.
    /// - Parameter address: the primary address or an alias.
    package func account(address: Address) -> Account? {
        self.tables.addresses[address].flatMap { self.accounts[$0] }
    }

    /// Whether the user exists and is not disabled.
    package func isEnabled(_ user: UserID) -> Bool {
        self.users[user].map { !$0.isDisabled } ?? false
    }

    /// The next time at which a grant ends: decisions change then without a new snapshot.
    package func nextExpiry(after moment: Moment) -> Moment? {
        self.tables.expiries.first(after: Expiry(moment: moment, account: .last))?.moment
    }

    /// The accounts that appear in the user's listing, sorted by address.
    package func accounts(visibleTo user: UserID, at moment: Moment) -> [Account] {
        guard self.isEnabled(user) else { return [] }
        let subjects = self.subjects(of: user)
        var granted: Set<AccountID> = []
        for subject in subjects.keys where self.isSharing {
            granted.formUnion(self.tables.accountsBySubject[subject] ?? .init())
        }
        let others = granted.compactMap { self.accounts[$0] }.filter { account in
            account.owner != user && !account.isDisabled
                && self.access(of: subjects, to: account, at: moment).isVisible
        }
        return (self.enabledAccounts(of: user) + others).sorted { $0.address < $1.address }
    }

    /// The enabled accounts that a user owns, sorted by address.
    func enabledAccounts(of owner: UserID) -> [Account] {
        (self.tables.accountsByOwner[owner] ?? .init()).compactMap { self.accounts[$0] }
            .filter { !$0.isDisabled }.sorted { $0.address < $1.address }
    }

    /// The account that a session of the user shows without a prefix.
    ///
    /// It is the owned account with the login's address, else the first owned account by address.
    package func personalAccount(of user: UserID) -> AccountID? {
        let owned = self.enabledAccounts(of: user)
        let login = self.users[user]?.login
        return (owned.first { $0.address == login } ?? owned.first)?.id
    }

    /// The account whose password at its server may stand for a user's own.
    ///
    /// It is the owned account with the login's address, or the only one that the user owns. Of several
    /// others none: the password of a function mailbox may be known to many.
    package func accountOfLogin(of user: UserID) -> AccountID? {
        let owned = self.enabledAccounts(of: user)
        let login = self.users[user]?.login
        return (owned.first { $0.address == login } ?? (owned.count == 1 ? owned.first : nil))?.id
    }

    /// The grants on an account, in the order of their creation.
    func grants(on account: AccountID) -> [Grant] {
        self.isSharing ? self.tables.grants[account]?.all ?? [] : []
    }

    /// The grants on an account to any of the subjects, in the order of their creation.
    func grants(of subjects: [Subject: [GroupID]], on account: AccountID) -> [Grant] {
        self.isSharing ? self.tables.grants[account]?.grants(of: subjects) ?? [] : []
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
        for grant in self.grants(on: account)
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
        case .group(let group): self.tables.groups[group].map { "group:\($0)" }
        case .everyone: "anyone"
        }
    }
}
