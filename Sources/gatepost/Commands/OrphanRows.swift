import Access
import Gateway
import Store

/// What in a model is of no use any more.
struct OrphanRows {
    private let inventory: StoreInventory
    /// When each user last used each account: account address, then login.
    private let uses: [String: [String: Moment]]
    /// The credentials that the gateway does not try, because a server refused them.
    private let refused: [SuspendedCredential]
    /// The days after which a grant counts as unused.
    private let days: Int
    /// The time for which the rows are.
    private let moment: Moment
    private let enabled: Set<String>
    /// The members of each group.
    private let members: [ExactText: [String]]
    /// The owner of each account.
    private let owners: [String: String]

    /// - Parameters:
    ///   - inventory: the model.
    ///   - uses: when each user last used each account: account address, then login.
    ///   - refused: the credentials that the gateway does not try.
    ///   - days: the days after which a grant counts as unused.
    ///   - moment: the time for which the rows are.
    init(
        inventory: StoreInventory,
        uses: [String: [String: Moment]],
        refused: [SuspendedCredential],
        days: Int,
        moment: Moment
    ) {
        self.inventory = inventory
        self.uses = uses
        self.refused = refused
        self.days = days
        self.moment = moment
        self.enabled = Set(inventory.users.lazy.filter { !$0.disabled }.map(\.login))
        self.members = Dictionary(
            inventory.groups.map { (ExactText($0.name), $0.members) }
        ) { first, _ in first }
        self.owners = Dictionary(
            inventory.accounts.compactMap { row in row.owner.map { (row.address, $0) } }
        ) { first, _ in first }
    }

    /// The rows: those of users and accounts, then groups and credentials. Within a kind they have
    /// the order of the store's lists.
    var all: [OrphanRow] {
        let people = self.peopleOfGroups
        let rows =
            self.inventory.grants.compactMap { self.row($0, people: people) }
            + self.accountRows(people: people)
            + self.groupRows(people: people) + self.credentialRows
        let order = OrphanRow.Kind.allCases
        return order.flatMap { kind in rows.filter { $0.kind == kind } }
    }

    /// The enabled users in each group, directly or through other groups.
    private var peopleOfGroups: [ExactText: Set<String>] {
        var people: [ExactText: Set<String>] = [:]
        for name in self.members.keys {
            var found: Set<String> = []
            var seen: Set<ExactText> = [name]
            var waiting = [name]
            while let group = waiting.popLast() {
                for member in self.members[group] ?? [] {
                    guard let inner = Self.group(member) else {
                        if self.enabled.contains(member) { found.insert(member) }
                        continue
                    }
                    if seen.insert(inner).inserted { waiting.append(inner) }
                }
            }
            people[name] = found
        }
        return people
    }

    /// The name in `group:NAME`; nil for a login.
    private static func group(_ subject: String) -> ExactText? {
        subject.hasPrefix("group:") ? ExactText(String(subject.dropFirst(6))) : nil
    }

    /// Whether a grant is for an enabled user.
    private func hasUser(_ grant: GrantRow, people: [ExactText: Set<String>]) -> Bool {
        if let group = Self.group(grant.subject) { return people[group]?.isEmpty == false }
        return grant.subject == "anyone"
            ? !self.enabled.isEmpty : self.enabled.contains(grant.subject)
    }

    /// When one of the enabled users whom a grant is for last used its account. The owner's use is
    /// not the grant's, unless the grant is for nobody else.
    ///
    /// A store has few uses of an account, and a group may have every user: the uses are searched.
    private func lastUse(of grant: GrantRow, people: [ExactText: Set<String>]) -> Int64? {
        let group = Self.group(grant.subject).map { people[$0] ?? [] }
        let isForOthers = grant.subject == "anyone" || (group?.count ?? 1) > 1
        let owner = isForOthers ? self.owners[grant.account] : nil
        return (self.uses[grant.account] ?? [:]).lazy.filter { login, _ in
            guard login != owner, self.enabled.contains(login) else { return false }
            if let group { return group.contains(login) }
            return grant.subject == "anyone" || grant.subject == login
        }.map(\.value.seconds).max()
    }

    // MARK: - Grants

    /// The row of a grant; nil for one that is of use, waits for a confirmation, or has ended.
    private func row(_ grant: GrantRow, people: [ExactText: Set<String>]) -> OrphanRow? {
        guard self.hasUser(grant, people: people) else {
            guard grant.subject != "anyone" else { return nil }
            return Self.group(grant.subject) == nil
                ? self.row(.userGrant, of: grant, reason: "the user is disabled")
                : self.row(.groupGrant, of: grant, reason: "the group has no enabled member")
        }
        let hasEnded = grant.until.map { $0 <= self.moment.seconds } ?? false
        let start = self.moment.seconds - Int64(self.days) * 86_400
        guard grant.confirmed, !hasEnded, grant.created < start else { return nil }
        let last = self.lastUse(of: grant, people: people)
        guard last.map({ $0 < start }) ?? true else { return nil }
        let unit = self.days == 1 ? "day" : "days"
        var row = self.row(.unusedGrant, of: grant, reason: "not used for \(self.days) \(unit)")
        row.lastUsed = last
        return row
    }

    private func row(_ kind: OrphanRow.Kind, of grant: GrantRow, reason: String) -> OrphanRow {
        OrphanRow(
            kind: kind,
            account: grant.account,
            subject: grant.subject,
            grant: grant.id,
            folder: grant.folder,
            subtree: grant.folder == nil ? nil : grant.subtree,
            reason: reason + (grant.source == "exchange" ? " (from Exchange)" : "")
        )
    }

    // MARK: - Accounts, groups and credentials

    private func accountRows(people: [ExactText: Set<String>]) -> [OrphanRow] {
        let used = Set(
            self.inventory.grants.lazy.filter { self.hasUser($0, people: people) }.map(\.account)
        )
        return self.inventory.accounts.compactMap { account in
            if let owner = account.owner {
                guard !self.enabled.contains(owner) else { return nil }
                return OrphanRow(
                    kind: .owner,
                    account: account.address,
                    subject: owner,
                    reason: "the owner is disabled"
                )
            }
            guard !used.contains(account.address) else { return nil }
            return OrphanRow(
                kind: .account,
                account: account.address,
                reason: "no owner, and no grant to an enabled user"
            )
        }
    }

    private func groupRows(people: [ExactText: Set<String>]) -> [OrphanRow] {
        self.inventory.groups.compactMap { group in
            guard people[ExactText(group.name)]?.isEmpty ?? true else { return nil }
            return OrphanRow(
                kind: .group,
                subject: "group:\(group.name)",
                reason: group.members.isEmpty ? "no members" : "no enabled member"
            )
        }
    }

    private var credentialRows: [OrphanRow] {
        self.refused.sorted {
            ($0.address, $0.service.rawValue) < ($1.address, $1.service.rawValue)
        }.map { found in
            OrphanRow(
                kind: .credential,
                account: found.address,
                reason: "the \(found.service.rawValue) server refused the stored credential "
                    + "(times: \(found.refusals))"
            )
        }
    }
}
