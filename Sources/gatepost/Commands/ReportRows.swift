import Access
import Store

/// The access of one user to one account: an element of the JSON array of `report --json`.
struct ReportRow: Encodable, Equatable {
    /// One rule that decides about the access.
    struct Because: Encodable, Equatable {
        /// The rule in words.
        var rule: String
        /// Letters of RFC 4314 §2.1, for a grant.
        var rights: String?
        /// `none`, `as` or `on-behalf`, for a grant.
        var send: String?
        /// The path of the granted folder; nil for the whole account.
        var folder: String?
        /// Whether a grant on a folder includes the folders below it.
        var subtree: Bool?
        /// When the grant was made, in seconds since 1970.
        var since: Int64?
        /// When the grant ends, in seconds since 1970; nil for never.
        var until: Int64?
        /// Who made the grant.
        var by: String?
        /// The reason that was recorded with the grant or the wall.
        var reason: String?
    }

    /// The account's address.
    var account: String
    /// The user's login.
    var user: String
    /// Whether the account belongs to the user.
    var isOwner: Bool
    /// The rights that the user has on at least one folder: letters of RFC 4314 §2.1.
    var viewing: String
    /// `none`, `as` or `on-behalf`.
    var send: String
    /// The last access, in seconds since 1970; nil if the audit log has none.
    var lastUsed: Int64?
    /// The rules that decide about the access.
    var because: [Because]
}

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
        private var waiting: [ReportRow] = []

        init(_ rows: ReportRows) {
            self.rows = rows
            self.decisions = SnapshotReview(
                rows.review.snapshot,
                users: rows.review.users,
                at: rows.moment
            )
        }

        mutating func next() -> ReportRow? {
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

    private func row(_ account: Account, user: User, access: AccountAccess) -> ReportRow {
        let address = account.address.description
        let login = user.login.description
        return ReportRow(
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
    private func because(_ reason: Reason) -> ReportRow.Because {
        var because = ReportRow.Because(rule: self.review.snapshot.text(of: reason))
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
