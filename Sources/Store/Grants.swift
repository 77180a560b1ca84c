import Access
import Foundation

/// Local grants: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Adds a local grant. On each side that it gives, viewing or sending, it replaces the
    /// subject's local grants in the same scope.
    /// - Parameters:
    ///   - consent: The consent setting of the command's configuration; the gateway's stored
    ///     setting applies if it is stricter.
    ///   - actor: The name that the audit log records.
    /// - Returns: Whether the grant waits for the owner's confirmation.
    /// - Throws: ``StoreError`` for an unknown account or subject, an Exchange account, a grant
    ///   that gives nothing, or an end after the year 9999.
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
            Edit(actor: actor, action: what, account: request.account),
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

    /// Removes the view side, the send side, or both from every local grant of a subject on an
    /// account.
    /// - Parameters:
    ///   - subject: Exactly the login or `group:NAME` of the grants.
    ///   - view: Whether the rights in folders are removed.
    ///   - send: Whether the right to send is removed.
    ///   - actor: The recorded name of who removes them; see ``Actor/recorded``.
    /// - Returns: The number of grants that were changed or deleted.
    /// - Throws: ``StoreError`` of kind `notFound` if no grant of the subject has one of these
    ///   sides.
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
                action: "grant remove \(account) \(subject) \(sides.words)",
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

    /// - Throws: ``StoreError`` for an unknown account, and for an account whose grants come
    ///   from Exchange.
    package func requireLocalGrants(_ name: String) throws {
        try self.read { transaction in
            try transaction.checkLocal(
                transaction.accountID(text: name),
                name: name
            )
        }
    }
}

/// Local grants inside a transaction.
extension StoreTransaction {
    /// When a grant may end, in seconds since 1970. The upper bound is the end of the year
    /// 9999: ISO 8601 cannot write a later date with four digits.
    static let ends: ClosedRange<Int64> = 0...253_402_300_800

    /// A grant to insert, with the key of its account.
    struct NewGrant {
        /// What to grant.
        var request: GrantRequest
        /// The key of the account's row.
        var account: Int64
        /// The user or group, if the caller looked it up already.
        var subject: Subject?
        /// The consent setting of the command's configuration.
        var told: Consent
        /// The setting in effect, if the caller read it already.
        var consent: Consent?
        /// Whether the grant waits for the owner, if the caller decided that already; nil
        /// decides it.
        var isPending: Bool?
        /// Whether the subject is known to have no other local grant on the account.
        var isAlone: Bool
        /// The grant's author.
        var actor: String

        /// Creates a grant to insert without checking it.
        init(
            _ request: GrantRequest,
            account: Int64,
            subject: Subject? = nil,
            told: Consent,
            isPending: Bool? = nil,
            isAlone: Bool = false,
            actor: String
        ) {
            self.request = request
            self.account = account
            self.subject = subject
            self.told = told
            self.isPending = isPending
            self.isAlone = isAlone
            self.actor = actor
        }
    }

    /// Inserts a grant. It replaces the subject's local grants of the same scope on each side
    /// that it gives, and leaves the other side as it is. A grant that waits for the owner
    /// replaces only waiting ones; it replaces the rest when it is confirmed.
    /// - Returns: Whether the grant waits for the owner's confirmation.
    /// - Throws: ``StoreError`` for a grant that gives nothing, an end outside ``ends``, and an
    ///   unknown subject.
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
        let consent = try grant.consent ?? self.consent(atLeast: grant.told)
        let isPending =
            try grant.isPending
            ?? self.waitsForOwner(request, on: account, consent: consent)
        let subject = try grant.subject ?? self.subject(text: request.subject)
        if !grant.isAlone {
            let before = RowFilter(account: account, subject: subject, scope: request.scope)
            try self.clear(
                isPending ? before.and("confirmed = 0") : before,
                sides: request.sides
            )
        }
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
            id: try self.insertedKey(),
            account: account,
            consent: consent,
            isPending: isPending,
            actor: grant.actor
        )
        try self.notify(notice, of: request)
        return isPending
    }

    /// Removes the view side, the send side, or both from the grants that match a filter, and
    /// deletes a grant that then gives nothing: the schema rejects such a row.
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

    /// - Parameter name: The account as the edit names it, for the error message.
    /// - Throws: ``StoreError`` for an Exchange account, whose grants only an import may
    ///   change.
    func checkLocal(_ account: Int64, name: String) throws {
        let rules = try self.rules(on: [account], about: [])
        try Self.decide(.grant, account: name) { () throws(EditRefusal) in
            try rules.requireGrants(from: .local, on: AccountID(account))
        }
    }
}
