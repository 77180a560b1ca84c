import Access
import Foundation

extension PermissionStore {
    /// Adds a grant; one for the same subject and scope is replaced.
    /// - Returns: whether it waits for the owner's word.
    @discardableResult
    package func addGrant(
        _ request: GrantRequest,
        consent: Consent = .off,
        actor: String
    ) throws -> Bool {
        let what = "grant add \(request.account) \(request.subject)"
        func details(_ isPending: Bool) -> [String] {
            [request.line] + (request.reason.map { ["reason: \($0)"] } ?? [])
                + (isPending ? ["waits for the owner"] : [])
        }
        return try self.edit(
            Edit(actor: actor, what, account: request.account),
            details: details
        ) { transaction in
            let account = try transaction.accountID(text: request.account)
            try transaction.checkLocal(account, name: request.account)
            let grant = StoreTransaction.NewGrant(
                request,
                account: account,
                told: consent,
                actor: actor
            )
            return try transaction.insert(grant)
        }
    }

    /// Takes the view side, the send side, or both of every local grant of a subject away.
    /// - Returns: how many grants were changed.
    package func removeGrants(
        account: String,
        subject: String,
        view: Bool,
        send: Bool,
        actor: String
    ) throws -> Int {
        let sides = Sides(view: view, send: send)
        return try self.edit(
            Edit(
                actor: actor,
                "grant remove \(account) \(subject) \(sides.words)",
                account: account
            )
        ) { transaction in
            let id = try transaction.accountID(text: account)
            let filter = RowFilter(
                account: id,
                subject: try transaction.subject(text: subject)
            )
            let affected =
                (view ? "rights <> ''" : "FALSE") + " OR " + (send ? "send <> 'none'" : "FALSE")
            let count = try filter.and("(\(affected))")
                .rows(transaction, of: "SELECT 1 FROM \"grant\"").count
            guard count > 0 else {
                throw StoreError.notFound(
                    "\(subject) has no such grant on \(account): gatepost grant list --account "
                        + account
                )
            }
            try transaction.clear(filter, sides: sides)
            return count
        }
    }

    /// - Throws: for an account whose grants come from Exchange.
    package func requireLocalGrants(_ name: String) throws {
        try self.read { transaction in
            try transaction.checkLocal(
                transaction.accountID(text: name),
                name: name
            )
        }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    /// When a grant may end: seconds since 1970, up to the end of the year 9999, behind which dates
    /// cannot be written.
    static let ends: ClosedRange<Int64> = 0...253_402_300_800

    /// A grant to be made.
    struct NewGrant {
        var request: GrantRequest
        var account: Int64
        /// What the command was told of the owner's consent.
        var told: Consent
        /// Whether it waits for the owner, where that is decided already.
        var isPending: Bool?
        var actor: String

        init(
            _ request: GrantRequest,
            account: Int64,
            told: Consent,
            isPending: Bool? = nil,
            actor: String
        ) {
            self.request = request
            self.account = account
            self.told = told
            self.isPending = isPending
            self.actor = actor
        }
    }

    /// Adds a grant. Of what the subject was granted in the same scope before it takes the place
    /// on the side that it names, viewing or sending, and leaves the other as it is; one that waits
    /// for the owner takes it when it is confirmed.
    @discardableResult
    func insert(_ grant: NewGrant) throws -> Bool {
        let request = grant.request
        let account = grant.account
        guard !request.rights.isEmpty || request.send != .none else {
            throw StoreError.refused("a grant needs --view, --edit, --manage, --rights or --send")
        }
        if let until = request.until, !Self.ends.contains(until.seconds) {
            throw StoreError.refused(
                "until \(until.seconds) on \(request.account): seconds since 1970, up to the year 9999"
            )
        }
        let consent = try self.consent(atLeast: grant.told)
        let isPending =
            try grant.isPending
            ?? self.waitsForOwner(request, on: account, consent: consent)
        let subject = try self.subject(text: request.subject)
        let before = RowFilter(account: account, subject: subject, scope: request.scope)
        try self.clear(
            isPending ? before.and("confirmed = 0") : before,
            sides: request.sides
        )
        let (folder, isSubtree) = request.scope.columns
        try self.execute(
            sql: """
                INSERT INTO "grant" (account, user, "group", rights, send, folder, subtree,
                    until, confirmed, author, created, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                account, subject.userKey, subject.groupKey, request.rights.letters,
                request.send.name, folder, isSubtree, request.until?.seconds, !isPending,
                grant.actor, Moment.current.seconds, request.reason,
            ]
        )
        let notice = GrantNotice(
            id: self.insertedKey,
            account: account,
            consent: consent,
            isPending: isPending,
            actor: grant.actor
        )
        try self.notify(notice, of: request)
        return isPending
    }

    /// Takes the view side, the send side or both of the grants that a filter finds away. One of
    /// which nothing is left goes; the schema allows none without a right.
    func clear(_ filter: RowFilter, sides: Sides) throws {
        let kept =
            (sides.contains(.view) ? "TRUE" : "rights = ''") + " AND "
            + (sides.contains(.send) ? "TRUE" : "send = 'none'")
        let gone = filter.and("(\(kept))")
        try self.execute(
            sql: "DELETE FROM \"grant\" \(gone.clause)",
            arguments: gone.arguments
        )
        for (side, assignment) in [(Sides.view, "rights = ''"), (.send, "send = 'none'")]
        where sides.contains(side) {
            try self.execute(
                sql: "UPDATE \"grant\" SET \(assignment) \(filter.clause)",
                arguments: filter.arguments
            )
        }
    }

    /// Grants on an Exchange account come from Exchange alone.
    func checkLocal(_ account: Int64, name: String) throws {
        let rules = try self.rules(on: [account], about: [])
        try Self.decide(.grant, account: name) { () throws(EditRefusal) in
            try rules.requireGrants(from: .local, on: AccountID(account))
        }
    }
}
