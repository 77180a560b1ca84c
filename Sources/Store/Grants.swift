package import Access
import Foundation
import GRDB

/// A grant as it is asked for.
package struct GrantRequest: Sendable {
    package var account: String
    /// A login, or `group:NAME`.
    package var subject: String
    package var rights: Rights
    package var send: SendRight
    package var scope: Scope
    package var until: Moment?
    package var reason: String?

    package init(
        account: String,
        subject: String,
        rights: Rights,
        send: SendRight,
        scope: Scope = .account,
        until: Moment? = nil,
        reason: String? = nil
    ) {
        self.account = account
        self.subject = subject
        self.rights = rights
        self.send = send
        self.scope = scope
        self.until = until
        self.reason = reason
    }
}

/// A grant as the command line shows it.
package struct GrantRow: Codable, Equatable, Sendable {
    package var id: Int64
    package var account: String
    package var subject: String
    package var rights: String
    package var send: String
    @Nullable package var folder: String?
    package var subtree: Bool
    /// `local`, or `exchange` for what an import brought.
    package var source: String
    /// The group in Exchange through which it reaches the user.
    @Nullable package var via: String?
    /// Whether it counts, where that is asked for.
    package var confirmed: Bool
    /// Seconds since 1970.
    @Nullable package var until: Int64?
    package var author: String
    package var created: Int64
    @Nullable package var reason: String?
    /// What of it has no effect, because it was withdrawn: `view`, `send` or `view send`.
    @Nullable package var withdrawn: String?
}

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

    package func grants(account: String?, subject: String?) throws -> [GrantRow] {
        try self.read { database in
            let id = try account.map { try Self.accountID(database, text: $0) }
            let (user, group) =
                try subject.map { try Self.subject(database, text: $0) } ?? (nil, nil)
            return try Self.grants(database).filter { row in
                (id == nil || row.accountID == id)
                    && (subject == nil || (row.user == user && row.group == group))
            }.map(\.row)
        }
    }

    static func grants(_ database: Database) throws -> [GrantOfStore] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT g.*, address.address,
                    coalesce(user.login, 'group:' || inner.name, 'anyone') AS subject
                FROM "grant" AS g
                JOIN address ON address.account = g.account AND isPrimary = 1
                LEFT JOIN user ON user.id = g.user
                LEFT JOIN "group" AS inner ON inner.id = g."group"
                ORDER BY address.address, subject, g.folder, g.id
                """
        )
        let withdrawals = try self.withdrawals(database)
        return try rows.map { row in
            let folder = (row["folder"] as Data?).map { String(decoding: $0, as: UTF8.self) }
            let user: Int64? = row["user"]
            let withdrawn = try withdrawals.filter { withdrawal in
                guard withdrawal.accountID == row["account"] else { return false }
                if withdrawal.group != nil, withdrawal.group == row["group"] { return true }
                guard let user else { return false }
                return try withdrawal.user == user
                    || withdrawal.group.map { try self.isMember(user, of: $0, database: database) }
                        ?? false
            }
            let sides = [
                withdrawn.contains(where: \.row.view) && row["rights"] != "" ? "view" : nil,
                withdrawn.contains(where: \.row.send) && row["send"] != "none" ? "send" : nil,
            ].compactMap { $0 }
            let shown = GrantRow(
                id: row["id"],
                account: row["address"],
                subject: row["subject"],
                rights: row["rights"],
                send: row["send"],
                folder: folder,
                subtree: row["subtree"],
                source: row["source"],
                via: row["via"],
                confirmed: row["confirmed"],
                until: row["until"],
                author: row["author"],
                created: row["created"],
                reason: row["reason"],
                withdrawn: sides.isEmpty ? nil : sides.joined(separator: " ")
            )
            return (row["account"], row["user"], row["group"], shown)
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
