import Access
import Store

/// The rows of a report, sorted by account and user, one account at a time. Each iteration computes
/// them anew, so that a large report is not in memory.
///
/// A user without any right is omitted, unless a wall or a withdrawal is the cause.
struct ReportRows: Sequence {
    let review: AccessReview
    /// When each user last used each account: account address, then login.
    let uses: [String: [String: Moment]]
    /// The time for which the report is.
    let moment: Moment

    struct Iterator: IteratorProtocol {
        private let rows: ReportRows
        private var decisions: SnapshotReview
        /// The position of the next account.
        private var position = 0
        /// The rows of the account before it, the next one last.
        private var waiting: [ReportCommand.Row] = []

        init(_ rows: ReportRows) {
            self.rows = rows
            self.decisions = SnapshotReview(
                rows.review.snapshot,
                users: rows.review.users,
                at: rows.moment
            )
        }

        mutating func next() -> ReportCommand.Row? {
            while self.waiting.isEmpty, self.position < self.rows.review.accounts.count {
                let account = self.rows.review.accounts[self.position]
                self.position += 1
                self.waiting = self.decisions.access(to: account).reversed().map { user, access in
                    self.rows.row(account, user: user, access: access)
                }
            }
            return self.waiting.popLast()
        }
    }

    func makeIterator() -> Iterator { Iterator(self) }

    private func row(_ account: Account, user: User, access: AccountAccess) -> ReportCommand.Row {
        let address = account.address.description
        let login = user.login.description
        return ReportCommand.Row(
            account: address,
            user: login,
            isOwner: access.isOwner,
            viewing: access.anywhere.letters,
            send: access.send.name,
            lastUsed: self.uses[address]?[login]?.seconds,
            because: access.reasons.map(self.because)
        )
    }

    /// Converts a reason of the decision, with author and time from the store.
    private func because(_ reason: Reason) -> ReportCommand.Row.Because {
        var because = ReportCommand.Row.Because(rule: self.review.snapshot.text(of: reason))
        switch reason {
        case .grant(let grant, _):
            let origin = self.review.origins[grant.id]
            because.rights = grant.rights.letters
            because.send = grant.send.name
            because.subtree = false
            switch grant.scope {
            case .account: break
            case .folder(let folder): because.folder = folder.description
            case .subtree(let folder):
                because.folder = folder.description
                because.subtree = true
            }
            because.since = origin?.created
            because.until = grant.until?.seconds
            because.by = origin?.author
            because.reason = origin?.reason
        case .wall(let wall):
            because.reason = wall.reason
        default:
            break
        }
        return because
    }
}
