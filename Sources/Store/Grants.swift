import Access
import Foundation
import GRDB

extension PermissionStore {
    typealias GrantOfStore = (accountID: Int64, user: Int64?, group: Int64?, row: GrantRow)

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
            actor: actor,
            what,
            account: request.account,
            details: details
        ) { database in
            let account = try Self.accountID(database, text: request.account)
            try Self.checkLocal(account, name: request.account, database: database)
            return try Self.insert(
                request,
                account: account,
                told: consent,
                actor: actor,
                database: database
            )
        }
    }

    /// When a grant may end: seconds since 1970, up to the end of the year 9999, behind which dates
    /// cannot be written.
    private static let ends: ClosedRange<Int64> = 0...253_402_300_800

    /// The local grants of a subject in one scope.
    static let samePlace = """
        account = ? AND user IS ? AND "group" IS ? AND folder IS ? AND subtree = ?
        AND source = 'local'
        """

    /// Adds a grant. Of what the subject was granted in the same scope before it takes the place
    /// on the side that it names, viewing or sending, and leaves the other as it is; one that waits
    /// for the owner takes it when it is confirmed.
    @discardableResult
    static func insert(
        _ request: GrantRequest,
        account: Int64,
        told: Consent,
        isPending decided: Bool? = nil,
        actor: String,
        database: Database
    ) throws -> Bool {
        guard !request.rights.isEmpty || request.send != .none else {
            throw StoreError.refused("a grant needs --view, --edit, --manage, --rights or --send")
        }
        if let until = request.until, !Self.ends.contains(until.seconds) {
            throw StoreError.refused(
                "until \(until.seconds) on \(request.account): seconds since 1970, up to the year 9999"
            )
        }
        let kept = try self.consent(database)
        let consent = kept.strictness > told.strictness ? kept : told
        let isPending =
            try decided
            ?? self.waitsForOwner(request, on: account, consent: consent, database: database)
        let (user, group) = try self.subject(database, text: request.subject)
        let (folder, isSubtree) = self.columns(of: request.scope)
        try self.clear(
            isPending ? "\(self.samePlace) AND confirmed = 0" : self.samePlace,
            arguments: [account, user, group, folder, isSubtree],
            view: !request.rights.isEmpty,
            send: request.send != .none,
            database: database
        )
        try database.execute(
            sql: """
                INSERT INTO "grant" (account, user, "group", rights, send, folder, subtree,
                    until, confirmed, author, created, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                account, user, group, request.rights.letters, request.send.name, folder, isSubtree,
                request.until?.seconds, !isPending, actor, Moment.current.seconds, request.reason,
            ]
        )
        let id = database.lastInsertedRowID
        try self.notify(
            request,
            id: id,
            on: account,
            consent: consent,
            isPending: isPending,
            actor: actor,
            database: database
        )
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
        try self.edit(
            actor: actor,
            "grant remove \(account) \(subject) \(Self.sides(view, send: send))",
            account: account
        ) { database in
            let id = try Self.accountID(database, text: account)
            let (user, group) = try Self.subject(database, text: subject)
            let filter = "account = ? AND user IS ? AND \"group\" IS ? AND source = 'local'"
            let arguments: StatementArguments = [id, user, group]
            let affected =
                (view ? "rights <> ''" : "FALSE") + " OR " + (send ? "send <> 'none'" : "FALSE")
            let count = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM \"grant\" WHERE \(filter) AND (\(affected))",
                arguments: arguments
            )
            guard let count, count > 0 else {
                throw StoreError.notFound(
                    "\(subject) has no such grant on \(account): gatepost grant list --account "
                        + account
                )
            }
            try Self.clear(filter, arguments: arguments, view: view, send: send, database: database)
            return count
        }
    }

    /// Takes the view side, the send side or both of the grants that a filter finds away. One of
    /// which nothing is left goes; the schema allows none without a right.
    static func clear(
        _ filter: String,
        arguments: StatementArguments,
        view: Bool,
        send: Bool,
        database: Database
    ) throws {
        let rest = (view ? "TRUE" : "rights = ''") + " AND " + (send ? "TRUE" : "send = 'none'")
        try database.execute(
            sql: "DELETE FROM \"grant\" WHERE \(filter) AND (\(rest))",
            arguments: arguments
        )
        if view {
            try database.execute(
                sql: "UPDATE \"grant\" SET rights = '' WHERE \(filter)",
                arguments: arguments
            )
        }
        if send {
            try database.execute(
                sql: "UPDATE \"grant\" SET send = 'none' WHERE \(filter)",
                arguments: arguments
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
        guard try self.kind(of: account, database) == .imap else {
            throw StoreError.refused(
                "\(name) is an Exchange account: its grants come from Exchange. Share the mailbox "
                    + "there, then: gatepost permissions load \(name)"
            )
        }
    }

    static func columns(of scope: Scope) -> (folder: Data?, isSubtree: Bool) {
        switch scope {
        case .account: (nil, false)
        case .folder(let folder): (Data(folder.octets), false)
        case .subtree(let folder): (Data(folder.octets), true)
        }
    }
}
