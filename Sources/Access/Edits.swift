/// Why an edit is refused.
package enum EditRefusal: Error, Equatable, Sendable {
    /// Grants of an Exchange account come from Exchange alone, those of any other never do.
    case grantsComeFrom(Source)
    /// The group would be inside itself.
    case groupCycle
    case wallStands
    /// Neither a wall nor a withdrawal reaches an account's owner.
    case isOwner
    case withdrawnAlready
    case nothingWithdrawn
    /// Withdrawals or walls of these accounts name the subject, and would be forgotten.
    case keptOut(of: [AccountID])
    /// The user owns these accounts.
    case owns([AccountID])
}

/// What an edit would do, and why it is refused: decided from the rules as they are before it.
extension Snapshot {
    /// The subjects whose rules are also about this one: itself, and every group that contains it.
    func subjects(above subject: Subject) -> Set<Subject> {
        switch subject {
        case .everyone: [.everyone]
        case .user(let user):
            Set(self.memberships.groups(of: user).keys.map { .group($0) } + [subject])
        case .group(let group):
            Set(self.memberships.groups(containing: group).map { .group($0) })
        }
    }

    /// The walls that bar a subject from an account, in person or through a group.
    package func walls(barring subject: Subject, from account: AccountID) -> [Wall] {
        let walls = self.walls[account] ?? []
        guard !walls.isEmpty else { return [] }
        let subjects = self.subjects(above: subject)
        return walls.filter { subjects.contains($0.subject) }
    }

    /// The sides of an account that withdrawals take away from a subject, in person or through a group.
    /// - Parameter source: of the withdrawals that count; nil for all.
    package func sidesWithdrawn(
        from subject: Subject,
        on account: AccountID,
        source: Source? = nil
    ) -> Sides {
        let withdrawals = self.withdrawals[account] ?? []
        guard !withdrawals.isEmpty else { return [] }
        let subjects = self.subjects(above: subject)
        return withdrawals.reduce(into: []) { sides, withdrawal in
            guard subjects.contains(withdrawal.subject),
                source.map({ $0 == withdrawal.source }) ?? true
            else { return }
            sides.formUnion(withdrawal.sides)
        }
    }

    // MARK: - Refusals

    /// - Throws: where the account's grants do not come from this source.
    package func requireGrants(from source: Source, on account: AccountID) throws(EditRefusal) {
        guard self.accounts[account]?.grantSource != source else { return }
        throw .grantsComeFrom(source == .local ? .exchange : .local)
    }

    /// - Throws: where the group would be inside itself.
    package func requireMember(_ subject: Subject, of group: GroupID) throws(EditRefusal) {
        guard self.subjects(above: .group(group)).contains(subject) else { return }
        throw .groupCycle
    }

    /// - Throws: for a wall that stands already, and one against the owner.
    package func requireWall(_ subject: Subject, at account: AccountID) throws(EditRefusal) {
        let walls = self.walls[account] ?? []
        guard !walls.contains(where: { $0.subject == subject }) else { throw .wallStands }
        guard !self.isOwner(subject, of: account) else { throw .isOwner }
    }

    /// What is withdrawn here from exactly this subject.
    private func sidesWithdrawnHere(from subject: Subject, on account: AccountID) -> Sides {
        (self.withdrawals[account] ?? []).reduce(into: []) { sides, withdrawal in
            guard withdrawal.subject == subject, withdrawal.source == .local else { return }
            sides.formUnion(withdrawal.sides)
        }
    }

    /// The sides that are withdrawn from a subject once these are withdrawn too.
    package func withdrawing(
        _ sides: Sides,
        from subject: Subject,
        on account: AccountID
    ) throws(EditRefusal) -> Sides {
        try self.requireGrants(from: .exchange, on: account)
        guard !self.isOwner(subject, of: account) else { throw .isOwner }
        let before = self.sidesWithdrawnHere(from: subject, on: account)
        guard !before.isSuperset(of: sides) else { throw .withdrawnAlready }
        return before.union(sides)
    }

    /// The sides that stay withdrawn from a subject once these are given back.
    package func restoring(
        _ sides: Sides,
        to subject: Subject,
        on account: AccountID
    ) throws(EditRefusal) -> Sides {
        try self.requireGrants(from: .exchange, on: account)
        let before = self.sidesWithdrawnHere(from: subject, on: account)
        guard !before.isDisjoint(with: sides) else { throw .nothingWithdrawn }
        return before.subtracting(sides)
    }

    /// A subject may be removed: it owns nothing, and no withdrawal made here and no wall names it. What
    /// keeps somebody out stays until somebody ends it, and does not go with whom it names.
    package func requireRemovable(_ subject: Subject) throws(EditRefusal) {
        if case .user(let user) = subject, let owned = self.tables.accountsByOwner[user] {
            throw .owns(self.sortedByAddress(Array(owned)))
        }
        try self.requireNotKeptOut(subject)
    }

    /// No withdrawal made here and no wall names a subject.
    package func requireNotKeptOut(_ subject: Subject) throws(EditRefusal) {
        let withdrawn = self.withdrawals.values.joined().filter {
            $0.subject == subject && $0.source == .local
        }
        let walled = self.walls.values.joined().filter { $0.subject == subject }
        let accounts = Set(withdrawn.map(\.account) + walled.map(\.account))
        guard accounts.isEmpty else { throw .keptOut(of: self.sortedByAddress(Array(accounts))) }
    }

    private func sortedByAddress(_ accounts: [AccountID]) -> [AccountID] {
        accounts.compactMap { self.accounts[$0] }.sorted { $0.address < $1.address }.map(\.id)
    }

    /// Whether a subject is the owner of an account.
    package func isOwner(_ subject: Subject, of account: AccountID) -> Bool {
        guard case .user(let user) = subject else { return false }
        return self.accounts[account]?.owner == user
    }

    // MARK: - The owner's consent

    /// Whether a new grant counts only when the account's owner has confirmed it: not for the owner, and
    /// not where it gives no more than a grant of the same subject in the same scope does.
    package func needsConsent(_ grant: Grant) -> Bool {
        guard self.accounts[grant.account]?.owner != nil,
            !self.isOwner(grant.subject, of: grant.account)
        else { return false }
        return !self.grants(on: grant.account).contains { $0.givesAll(of: grant) }
    }

    /// Whether somebody is told of a grant on an account: its owner, of grants to others.
    package func ownerToTell(of subject: Subject, on account: AccountID) -> UserID? {
        self.isOwner(subject, of: account) ? nil : self.accounts[account]?.owner
    }

    /// Grants that wait for the word of a user.
    package func grants(awaiting owner: UserID) -> [Grant] {
        (self.tables.accountsByOwner[owner] ?? .init()).flatMap(self.grants(on:))
            .filter(\.isPending).sorted { $0.id < $1.id }
    }
}

extension Grant {
    /// Whether it counts, and gives all that another one of the same subject in the same scope would, for
    /// as long.
    fileprivate func givesAll(of other: Grant) -> Bool {
        guard self.isConfirmed, self.source == .local, self.subject == other.subject,
            self.scope == other.scope
        else { return false }
        let endsNoSooner =
            self.until.map { own in other.until.map { $0 <= own } ?? false } ?? true
        return self.rights.isSuperset(of: other.rights) && self.send >= other.send && endsNoSooner
    }
}
