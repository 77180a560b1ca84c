import Access
import Support

/// A small random model, for decisions that are made twice and compared.
struct World {
    var users: [User] = []
    var groups: [Group] = []
    var accounts: [Account] = []
    var grants: [Grant] = []
    var withdrawals: [Withdrawal] = []
    var walls: [Wall] = []

    static let folders = ["INBOX", "A", "A/B", "A/B/C", "AB", "a"]

    var snapshot: Snapshot { self.snapshot(revision: 1) }

    func snapshot(revision: Int64) -> Snapshot {
        Snapshot(
            revision: revision,
            users: self.users,
            groups: self.groups,
            accounts: self.accounts,
            grants: self.grants,
            withdrawals: self.withdrawals,
            walls: self.walls
        )
    }

    /// Users 1 to 4, groups 1 to 4, of which one contains those with smaller numbers only, and accounts 1 to 3.
    init(_ generator: inout some RandomNumberGenerator) {
        for index in Int64(1)...4 {
            guard let login = Address("u\(index)@kanzlei.example".utf8) else { continue }
            let isDisabled = Int.random(in: 0..<8, using: &generator) == 0
            self.users.append(User(id: UserID(index), login: login, isDisabled: isDisabled))
        }
        for index in Int64(1)...4 {
            let count = Int.random(in: 0...3, using: &generator)
            let members = (0..<count).map { _ in
                Self.subject(below: index, using: &generator)
            }
            self.groups.append(Group(id: GroupID(index), name: "g\(index)", members: members))
        }
        for index in Int64(1)...3 {
            guard let address = Address("a\(index)@kanzlei.example".utf8) else { continue }
            let owner = Int64.random(in: 0...4, using: &generator)
            self.accounts.append(
                Account(
                    id: AccountID(index),
                    address: address,
                    kind: Bool.random(using: &generator) ? .imap : .exchange,
                    owner: owner == 0 ? nil : UserID(owner)
                )
            )
        }
        self.addRules(&generator)
    }

    /// Exchanges the logins of two users and the addresses of two accounts, and gives an account an
    /// alias, each with a chance of one in two.
    mutating func exchangeNames(using generator: inout some RandomNumberGenerator) {
        if Bool.random(using: &generator), self.users.count > 1 {
            (self.users[0].login, self.users[1].login) = (self.users[1].login, self.users[0].login)
        }
        if Bool.random(using: &generator), self.accounts.count > 1 {
            (self.accounts[0].address, self.accounts[1].address) =
                (self.accounts[1].address, self.accounts[0].address)
        }
        for index in self.accounts.indices { self.accounts[index].aliases = [] }
        if let index = self.accounts.indices.randomElement(using: &generator),
            Bool.random(using: &generator), let alias = Address("b1@kanzlei.example".utf8)
        {
            self.accounts[index].aliases = [alias]
        }
    }

    private mutating func addRules(_ generator: inout some RandomNumberGenerator) {
        for id in 0..<Int64.random(in: 0...10, using: &generator) {
            let until = Int64.random(in: 0...3, using: &generator)
            self.grants.append(
                Grant(
                    id: id,
                    account: Self.account(using: &generator),
                    subject: Self.subject(below: 5, using: &generator),
                    rights: Self.rights(using: &generator),
                    send: [.none, .onBehalf, .as].randomElement(using: &generator) ?? .none,
                    scope: Self.scope(using: &generator),
                    source: Int.random(in: 0..<4, using: &generator) == 0 ? .exchange : .local,
                    until: until == 3 ? nil : Moment(seconds: until),
                    isConfirmed: Int.random(in: 0..<4, using: &generator) != 0
                )
            )
        }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let view = Bool.random(using: &generator)
            self.withdrawals.append(
                Withdrawal(
                    account: Self.account(using: &generator),
                    subject: Self.subject(below: 5, using: &generator),
                    view: view,
                    send: !view || Bool.random(using: &generator),
                    source: Int.random(in: 0..<4, using: &generator) == 0 ? .exchange : .local
                )
            )
        }
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            self.walls.append(
                Wall(
                    account: Self.account(using: &generator),
                    subject: Self.subject(below: 5, using: &generator),
                    reason: "Mandat"
                )
            )
        }
    }

    static func account(using generator: inout some RandomNumberGenerator) -> AccountID {
        AccountID(Int64.random(in: 1...3, using: &generator))
    }

    /// A user, or a group with a number below this one.
    static func subject(
        below: Int64,
        using generator: inout some RandomNumberGenerator
    ) -> Subject {
        if below > 1, Bool.random(using: &generator) {
            return .group(GroupID(Int64.random(in: 1..<below, using: &generator)))
        }
        return .user(UserID(Int64.random(in: 1...4, using: &generator)))
    }

    static func rights(using generator: inout some RandomNumberGenerator) -> Rights {
        Rights(rawValue: UInt16.random(in: 0..<1_024, using: &generator))
    }

    static func scope(using generator: inout some RandomNumberGenerator) -> Scope {
        let name = Self.folders.randomElement(using: &generator) ?? "A"
        guard let folder = FolderPath(octets: Array(name.utf8)) else { return .account }
        return [.account, .folder(folder), .subtree(folder)]
            .randomElement(using: &generator) ?? .account
    }

    // MARK: - The model in its own words

    /// Whether a subject is another one, or a group that contains it: each level is looked at anew.
    func isOrContains(_ outer: Subject, _ inner: Subject, depth: Int = 0) -> Bool {
        guard outer != inner else { return true }
        guard case .group(let id) = outer, depth < 10,
            let group = self.groups.first(where: { $0.id == id })
        else { return false }
        return group.members.contains { self.isOrContains($0, inner, depth: depth + 1) }
    }

    func owner(of account: AccountID) -> UserID? {
        self.accounts.first { $0.id == account }?.owner
    }

    var allSubjects: [Subject] {
        self.users.map { .user($0.id) } + self.groups.map { .group($0.id) }
    }
}
