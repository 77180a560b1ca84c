import Access
import Support
import Testing

/// The decision against a second implementation, written directly from the text of the model: it
/// evaluates everything each time, uses strings as names, and prepares nothing.
@Suite struct NaiveComparisonTests {
    private struct World {
        var users: [User] = []
        var groups: [Group] = []
        var accounts: [Account] = []
        var grants: [Grant] = []
        var withdrawals: [Withdrawal] = []
        var walls: [Wall] = []

        var snapshot: Snapshot {
            Snapshot(
                revision: 1,
                users: self.users,
                groups: self.groups,
                accounts: self.accounts,
                grants: self.grants,
                withdrawals: self.withdrawals,
                walls: self.walls
            )
        }

        /// Whether a subject is the user or a group with the user.
        func names(_ subject: Subject, _ user: UserID, depth: Int = 0) -> Bool {
            switch subject {
            case .user(let named): return named == user
            case .everyone: return true
            case .group(let group):
                guard depth < 20 else { return false }
                for candidate in self.groups where candidate.id == group {
                    for member in candidate.members
                    where self.names(member, user, depth: depth + 1) {
                        return true
                    }
                }
                return false
            }
        }

        func decide(
            _ user: UserID,
            _ account: AccountID,
            _ folder: String,
            _ now: Moment
        ) -> (rights: String, send: SendRight) {
            guard let person = self.users.first(where: { $0.id == user }), !person.isDisabled,
                let box = self.accounts.first(where: { $0.id == account }), !box.isDisabled
            else { return ("", .none) }
            if box.owner == user { return ("lrswipkxtea", .as) }
            for wall in self.walls where wall.account == account && self.names(wall.subject, user) {
                return ("", .none)
            }
            var letters = ""
            var send = SendRight.none
            for grant in self.grants where grant.account == account {
                guard self.isInForce(grant, user, box, now) else { continue }
                if self.isOutdone(grant, user, box, now) { continue }
                if grant.send > send { send = grant.send }
                guard self.reaches(grant.scope, folder) else { continue }
                letters += grant.rights.letters
            }
            for withdrawal in self.withdrawals
            where withdrawal.account == account && self.names(withdrawal.subject, user) {
                if withdrawal.view { letters = "" }
                if withdrawal.send { send = .none }
            }
            let ordered = "lrswipkxtea".filter { letters.contains($0) }
            return (ordered, send)
        }

        private func isInForce(
            _ grant: Grant,
            _ user: UserID,
            _ account: Account,
            _ now: Moment
        ) -> Bool {
            guard grant.isConfirmed, self.names(grant.subject, user) else { return false }
            if let until = grant.until, until <= now { return false }
            return (grant.source == .exchange) == (account.kind == .exchange)
        }

        /// Whether another Exchange entry for the same folder takes precedence.
        private func isOutdone(
            _ grant: Grant,
            _ user: UserID,
            _ account: Account,
            _ now: Moment
        ) -> Bool {
            guard let (folder, own) = self.entry(grant) else { return false }
            for other in self.grants where other.account == grant.account {
                guard self.isInForce(other, user, account, now),
                    let (same, closer) = self.entry(other), same == folder, closer < own
                else { continue }
                return true
            }
            return false
        }

        private func entry(_ grant: Grant) -> (folder: String, distance: Int)? {
            guard grant.source == .exchange, case .folder(let path) = grant.scope else {
                return nil
            }
            if grant.subject == .everyone { return (path.description, 2) }
            if case .user = grant.subject, grant.via == nil { return (path.description, 0) }
            return (path.description, 1)
        }

        private func reaches(_ scope: Scope, _ folder: String) -> Bool {
            switch scope {
            case .account: return true
            case .folder(let path): return path.description.utf8.elementsEqual(folder.utf8)
            case .subtree(let path):
                let root = path.description
                return root.utf8.elementsEqual(folder.utf8) || folder.hasPrefix(root + "/")
            }
        }
    }

    private static let folders = ["INBOX", "A", "A/B", "A/B/C", "AB", "a", "A B", "INBOX/A"]

    private static func world(_ generator: inout some RandomNumberGenerator) -> World {
        var world = World()
        for index in 1...4 {
            guard let login = Address("u\(index)@kanzlei.example".utf8) else { continue }
            let disabled = Int.random(in: 0..<8, using: &generator) == 0
            world.users.append(User(id: UserID(Int64(index)), login: login, isDisabled: disabled))
        }
        func subject(_ below: Int64) -> Subject {
            if below > 1, Bool.random(using: &generator) {
                return .group(GroupID(Int64.random(in: 1..<below, using: &generator)))
            }
            return .user(UserID(Int64.random(in: 1...4, using: &generator)))
        }
        for index in Int64(1)...4 {
            let count = Int.random(in: 0...3, using: &generator)
            let members = (0..<count).map { _ in subject(index) }
            world.groups.append(Group(id: GroupID(index), name: "g\(index)", members: members))
        }
        for index in Int64(1)...2 {
            guard let address = Address("a\(index)@kanzlei.example".utf8) else { continue }
            let owner = Int64.random(in: 0...4, using: &generator)
            world.accounts.append(
                Account(
                    id: AccountID(index),
                    address: address,
                    kind: Bool.random(using: &generator) ? .imap : .exchange,
                    owner: owner == 0 ? nil : UserID(owner),
                    isDisabled: Int.random(in: 0..<8, using: &generator) == 0
                )
            )
        }
        func account() -> AccountID { AccountID(Int64.random(in: 1...2, using: &generator)) }
        for index in 0..<Int64.random(in: 0...12, using: &generator) {
            let name = Self.folders.randomElement(using: &generator) ?? "A"
            let path = FolderPath(octets: Array(name.utf8))
            let kind = Int.random(in: 0..<3, using: &generator)
            let scope: Scope =
                path.map { kind == 0 ? .account : kind == 1 ? .folder($0) : .subtree($0) }
                ?? .account
            let until = Int64.random(in: 0...3, using: &generator)
            world.grants.append(
                Grant(
                    id: index,
                    account: account(),
                    subject: Int.random(in: 0..<6, using: &generator) == 0 ? .everyone : subject(5),
                    rights: Rights(rawValue: UInt16.random(in: 0..<2_048, using: &generator)),
                    send: [.none, .onBehalf, .as].randomElement(using: &generator) ?? .none,
                    scope: scope,
                    source: Bool.random(using: &generator) ? .local : .exchange,
                    via: Bool.random(using: &generator) ? nil : "Sales",
                    until: until == 3 ? nil : Moment(seconds: until),
                    isConfirmed: Int.random(in: 0..<6, using: &generator) != 0
                )
            )
        }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            world.withdrawals.append(
                Withdrawal(
                    account: account(),
                    subject: subject(5),
                    view: Bool.random(using: &generator),
                    send: Bool.random(using: &generator)
                )
            )
        }
        if Int.random(in: 0..<6, using: &generator) == 0 {
            world.walls.append(Wall(account: account(), subject: subject(5), reason: "x"))
        }
        return world
    }

    @Test func `both implementations decide alike on thousands of random models`() throws {
        var generator = Seeded(state: 2_026)
        for _ in 0..<4_000 {
            let world = Self.world(&generator)
            let snapshot = world.snapshot
            let now = Moment(seconds: Int64.random(in: 0...3, using: &generator))
            for user in 1...5 {
                for account in 1...3 {
                    let name = Self.folders.randomElement(using: &generator) ?? "A"
                    let folder = try #require(FolderPath(octets: Array(name.utf8)))
                    let id = UserID(Int64(user))
                    let box = AccountID(Int64(account))
                    let expected = world.decide(id, box, name, now)
                    let access = snapshot.access(of: id, to: box, at: now)
                    #expect(access.rights(in: folder).letters == expected.rights)
                    #expect(access.send == expected.send)
                    let verdict = snapshot.verdict(user: id, account: box, folder: folder, at: now)
                    #expect(verdict.rights.letters == expected.rights)
                }
            }
        }
    }
    @Test func `an index of many scopes gives the union of their rights`() throws {
        var generator = Seeded(state: 4)
        let names = [
            "A", "A/B", "A/B/C", "A/BC", "B", "B/A", "B/A/B", "INBOX", "INBOX/A", "C/D/E/F",
        ]
        for _ in 0..<500 {
            var grants: [Grant] = []
            for id in 0..<Int64.random(in: 9...40, using: &generator) {
                let name = names.randomElement(using: &generator) ?? "A"
                let folder = try #require(FolderPath(octets: Array(name.utf8)))
                let kind = Int.random(in: 0..<12, using: &generator)
                grants.append(
                    Grant(
                        id: id,
                        account: AccountID(1),
                        subject: .user(UserID(1)),
                        rights: Rights(rawValue: UInt16.random(in: 0..<2_048, using: &generator)),
                        scope: kind == 0 ? .account : kind < 6 ? .folder(folder) : .subtree(folder),
                        source: .local
                    )
                )
            }
            let login = try #require(Address("a@x.example".utf8))
            let snapshot = Snapshot(
                revision: 1,
                users: [User(id: UserID(1), login: login)],
                groups: [],
                accounts: [
                    Account(id: AccountID(1), address: login, kind: .imap, owner: nil)
                ],
                grants: grants,
                withdrawals: [],
                walls: []
            )
            let access = snapshot.access(of: UserID(1), to: AccountID(1), at: Moment(seconds: 1))
            for name in names + ["A/B/C/D", "C", "C/D", "X"] {
                let folder = try #require(FolderPath(octets: Array(name.utf8)))
                let covering = grants.filter { $0.scope.covers(folder) }
                let rights = covering.reduce(into: Rights()) { $0.formUnion($1.rights) }
                #expect(access.rights(in: folder) == rights)
                let isAbove = grants.contains { grant in
                    guard grant.rights.contains(.lookup) else { return false }
                    switch grant.scope {
                    case .account: return true
                    case .folder(let own), .subtree(let own): return own.isBelow(folder)
                    }
                }
                #expect(access.isVisible(from: folder) == (rights.contains(.lookup) || isAbove))
            }
        }
    }
}
