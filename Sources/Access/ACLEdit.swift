/// What a change of an access control list makes of the grants: those of the subject for exactly the folder go,
/// and one may take their place.
package struct ACLEdit: Equatable, Sendable {
    /// Rights of the grant that is written for the folder; nil where none is needed.
    package var rights: Rights?
    /// When it ends.
    package var until: Moment?
    /// What the subject has in the folder then.
    package var result: Rights
}

extension Snapshot {
    /// The decision on a change that an owner makes from a mail client (RFC 4314 §3.1). Grants for more than the
    /// folder stay as they are: what they give cannot be taken away there.
    ///
    /// - Parameter subject: whom the change's identifier names; nil where that is nobody.
    /// - Throws: why it is not made.
    package func edit(
        for change: ACLChange,
        subject: Subject?,
        at moment: Moment
    ) throws(ACLChange.Outcome) -> ACLEdit {
        guard self.isEnabled(change.owner),
            self.isOwner(.user(change.owner), of: change.account),
            self.accounts[change.account]?.grantSource == .local
        else { throw .failed }
        guard let subject, subject != .user(change.owner), subject != .everyone else {
            throw .unknownIdentifier
        }
        var (here, elsewhere): (Rights, Rights) = ([], [])
        var ends: [Moment?] = []
        for grant in self.grants(on: change.account)
        where grant.subject == subject && grant.isInForce(at: moment) {
            if grant.scope == .folder(change.folder) {
                here.formUnion(grant.rights)
                if !grant.rights.isEmpty { ends.append(grant.until) }
            } else if grant.scope.covers(change.folder) {
                elsewhere.formUnion(grant.rights)
            }
        }
        // What the folder's own grant becomes; others stay, with their ends.
        let wanted = change.rights(after: here)
        guard change.leaves(elsewhere, wanted: wanted) else { throw .grantedElsewhere }
        // What was given for a time, and is changed, ends when it was to end.
        let isForGood = change.kind == .replace || ends.contains(nil)
        return ACLEdit(
            rights: elsewhere.isSuperset(of: wanted) ? nil : wanted,
            until: isForGood ? nil : ends.compactMap { $0 }.max(),
            result: wanted.union(elsewhere)
        )
    }
}

extension ACLChange {
    fileprivate func rights(after here: Rights) -> Rights {
        switch self.kind {
        case .replace: self.rights
        case .add: here.union(self.rights)
        case .remove: here.subtracting(self.rights)
        }
    }

    /// Whether what grants for more than the folder give may stay.
    fileprivate func leaves(_ elsewhere: Rights, wanted: Rights) -> Bool {
        switch self.kind {
        case .replace: wanted.isSuperset(of: elsewhere)
        case .add: true
        case .remove: elsewhere.isDisjoint(with: self.rights)
        }
    }
}
