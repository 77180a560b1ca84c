import Access
import Foundation
import GRDB

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
        ) { database in
            let account = try Self.accountID(database, text: request.account)
            try Self.checkLocal(account, name: request.account, database: database)
            let grant = NewGrant(request, account: account, told: consent, actor: actor)
            return try Self.insert(grant, database: database)
        }
    }

    /// When a grant may end: seconds since 1970, up to the end of the year 9999, behind which dates
    /// cannot be written.
    private static let ends: ClosedRange<Int64> = 0...253_402_300_800

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
    static func insert(_ grant: NewGrant, database: Database) throws -> Bool {
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
        let consent = try self.consent(database, atLeast: grant.told)
        let isPending =
            try grant.isPending
            ?? self.waitsForOwner(request, on: account, consent: consent, database: database)
        let subject = try self.subject(database, text: request.subject)
        let before = RowFilter(account: account, subject: subject, scope: request.scope)
        try self.clear(
            isPending ? before.and("confirmed = 0") : before,
            sides: request.sides,
            database: database
        )
        let (folder, isSubtree) = request.scope.columns
        try database.execute(
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
            id: database.lastInsertedRowID,
            account: account,
            consent: consent,
            isPending: isPending,
            actor: grant.actor
        )
        try self.notify(notice, of: request, database: database)
        return isPending
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
        ) { database in
            let id = try Self.accountID(database, text: account)
            let filter = RowFilter(
                account: id,
                subject: try Self.subject(database, text: subject)
            )
            let affected =
                (view ? "rights <> ''" : "FALSE") + " OR " + (send ? "send <> 'none'" : "FALSE")
            let count = try filter.and("(\(affected))")
                .rows(database, of: "SELECT 1 FROM \"grant\"").count
            guard count > 0 else {
                throw StoreError.notFound(
                    "\(subject) has no such grant on \(account): gatepost grant list --account "
                        + account
                )
            }
            try Self.clear(filter, sides: sides, database: database)
            return count
        }
    }

    /// Takes the view side, the send side or both of the grants that a filter finds away. One of
    /// which nothing is left goes; the schema allows none without a right.
    static func clear(_ filter: RowFilter, sides: Sides, database: Database) throws {
        let kept =
            (sides.contains(.view) ? "TRUE" : "rights = ''") + " AND "
            + (sides.contains(.send) ? "TRUE" : "send = 'none'")
        let gone = filter.and("(\(kept))")
        try database.execute(
            sql: "DELETE FROM \"grant\" \(gone.clause)",
            arguments: gone.arguments
        )
        for (side, assignment) in [(Sides.view, "rights = ''"), (.send, "send = 'none'")]
        where sides.contains(side) {
            try database.execute(
                sql: "UPDATE \"grant\" SET \(assignment) \(filter.clause)",
                arguments: filter.arguments
            )
        }
    }

    /// - Throws: for an account whose grants come from Exchange.
    package func requireLocalGrants(_ name: String) throws {
        try self.read { database in
            try Self.checkLocal(
                Self.accountID(database, text: name),
                name: name,
                database: database
            )
        }
    }

    /// Grants on an Exchange account come from Exchange alone.
    static func checkLocal(_ account: Int64, name: String, database: Database) throws {
        let rules = try self.rules(database, on: [account], about: [])
        try self.decide(.grant, account: name) { () throws(EditRefusal) in
            try rules.requireGrants(from: .local, on: AccountID(account))
        }
    }
}
