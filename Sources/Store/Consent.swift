package import Access
import Foundation
import GRDB

/// Whether an owner has a say in what is granted on the owner's account.
package enum Consent: String, Sendable, CaseIterable {
    /// A grant counts when the owner has confirmed it.
    case required
    /// The owner finds a message about it.
    case notify
    case off
}

extension Consent {
    var strictness: Int {
        switch self {
        case .off: 0
        case .notify: 1
        case .required: 2
        }
    }
}

/// A message for an account's owner, until it is in the INBOX.
package struct Notice: Equatable, Sendable {
    package var id: Int64
    package var account: AccountID
    package var subject: String
    package var text: String
    package var created: Moment
    /// Octets that nobody can guess, for its Message-ID.
    package var token: [UInt8]
}

extension PermissionStore {
    /// Whether a login and a password belong together, for an owner who decides at a terminal.
    package func verify(_ password: String, of login: String) throws {
        let hash = try self.read { database in
            try String.fetchOne(
                database,
                sql: "SELECT password FROM user WHERE login = ? AND disabled = 0",
                arguments: [try Self.address(login).description]
            )
        }
        let isRight = (hash.map(PasswordHash.init(text:)) ?? .dummy).verify(Array(password.utf8))
        guard isRight, hash != nil else {
            var record = AuditRecord(
                event: "login",
                outcome: .refused,
                actor: login,
                from: "command line"
            )
            record.because = ["login or password is wrong"]
            try self.audit([(.current, record)])
            throw StoreError.refused("login or password is wrong")
        }
    }

    /// The grants on accounts of an owner that wait for the owner's word.
    package func pendingGrants(owner login: String) throws -> [GrantRow] {
        try self.read { database in
            let owner = try Self.userID(database, login: login)
            return try Self.grants(database).filter { grant in
                try grant.row.isPending && Self.owner(of: grant.accountID, database) == owner
            }.map(\.row)
        }
    }

    /// Lets a grant count: its owner agrees.
    package func confirmGrant(_ id: Int64, owner login: String) throws {
        try self.decide(id, what: "confirm", login: login) { database, grant in
            let user = grant.user
            let group = grant.group
            let filter = "id <> ? AND \(Self.samePlace)"
            let folder = grant.row.folder.map { Data($0.utf8) }
            try Self.clear(
                filter,
                arguments: [id, grant.accountID, user, group, folder, grant.row.subtree],
                view: !grant.row.rights.isEmpty,
                send: grant.row.send != "none",
                database: database
            )
            try database.execute(
                sql: "UPDATE \"grant\" SET confirmed = 1 WHERE id = ?",
                arguments: [id]
            )
        }
    }

    /// Drops a grant that waits: its owner does not agree.
    package func refuseGrant(_ id: Int64, owner login: String) throws {
        try self.decide(id, what: "refuse", login: login) { database, _ in
            try database.execute(sql: "DELETE FROM \"grant\" WHERE id = ?", arguments: [id])
        }
    }

    private func decide(
        _ id: Int64,
        what: String,
        login: String,
        body: (Database, GrantOfStore) throws -> Void
    ) throws {
        let address = try Self.address(login).description
        func details(_ row: GrantRow) -> [String] { [row.line] }
        let account = try self.read { database in
            try Self.grants(database).first { $0.row.id == id }?.row.account
        }
        _ = try self.edit(
            actor: address,
            "consent \(what) \(id)",
            account: account,
            details: details
        ) { database in
            let owner = try Self.userID(database, login: address)
            let grant = try Self.grants(database).first { $0.row.id == id && $0.row.isPending }
            guard let grant, try Self.owner(of: grant.accountID, database) == owner else {
                throw StoreError.notFound(
                    "no grant \(id) waits for \(address): gatepost consent list"
                )
            }
            try body(database, grant)
            return grant.row
        }
    }

    // MARK: - Whether the owner is asked, and told

    /// Keeps what the gateway is told, so that no command can be told less.
    package func setConsent(_ consent: Consent) throws {
        guard try self.read({ try Self.consent($0) }) != consent else { return }
        try self.edit(actor: "gatepost", from: "serve", "consent \(consent.rawValue)") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO setting (name, value) VALUES ('consent', ?)",
                arguments: [consent.rawValue]
            )
        }
    }

    /// What holds: the stricter of what a command and the gateway are told.
    package func consent(atLeast told: Consent) throws -> Consent {
        let kept = try self.read { try Self.consent($0) }
        return kept.strictness > told.strictness ? kept : told
    }

    static func consent(_ database: Database) throws -> Consent {
        try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'consent'")
            .flatMap(Consent.init) ?? .off
    }

    /// Whether a grant counts only when the account's owner has confirmed it: not for the owner, and
    /// not where it takes something away from what the same subject has.
    static func waitsForOwner(
        _ request: GrantRequest,
        on account: Int64,
        consent: Consent,
        database: Database
    ) throws -> Bool {
        guard consent == .required, let owner = try self.owner(of: account, database) else {
            return false
        }
        let (user, group) = try self.subject(database, text: request.subject)
        guard user != owner else { return false }
        let (folder, isSubtree) = self.columns(of: request.scope)
        let known = try Row.fetchAll(
            database,
            sql: "SELECT * FROM \"grant\" WHERE \(self.samePlace) AND confirmed = 1",
            arguments: [account, user, group, folder, isSubtree]
        )
        return !known.contains { row in
            let rights = Rights(letters: row["rights"]) ?? []
            let until: Int64? = row["until"]
            let endsNoLater =
                until.map { known in request.until.map { $0.seconds <= known } ?? false } ?? true
            return rights.isSuperset(of: request.rights)
                && SendRight(name: row["send"]) >= request.send && endsNoLater
        }
    }

    /// Leaves a message for an account's owner about a grant, where that is asked for.
    static func notify(
        _ request: GrantRequest,
        id: Int64,
        on account: Int64,
        consent: Consent,
        isPending: Bool,
        actor: String,
        database: Database
    ) throws {
        guard consent != .off, let owner = try self.owner(of: account, database) else { return }
        let (user, _) = try self.subject(database, text: request.subject)
        guard user != owner else { return }
        let name = try self.primary(of: account, database)
        let login =
            try String.fetchOne(
                database,
                sql: "SELECT login FROM user WHERE id = ?",
                arguments: [owner]
            ) ?? ""
        var lines = [
            "\(actor) has given \(request.subject) access to the mailbox \(name):", "",
            "    \(request.line)", "",
        ]
        if let reason = request.reason { lines += ["Reason: \(reason)", ""] }
        lines.append(
            isPending
                ? "Nothing of it counts until you agree. On the gateway's machine:\n\n"
                    + "    gatepost consent confirm \(id) --as \(login)\n"
                    + "    gatepost consent refuse \(id) --as \(login)\n\n"
                    + "Your password is asked for. Your administrator helps you with it."
                : "It counts already. Ask your administrator if you did not expect it."
        )
        try database.execute(
            sql: """
                INSERT INTO notice (account, subject, text, created, token) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                account,
                isPending
                    ? "Somebody asks for access to your mailbox"
                    : "Somebody was given access to your mailbox",
                lines.joined(separator: "\n"), Moment.current.seconds, Self.noticeToken(),
            ]
        )
    }

    /// 128 random bits: whoever can put messages into the INBOX cannot name the next notice, and make
    /// it seem to be there.
    static func noticeToken() -> Data {
        Data((0..<16).map { _ in UInt8.random(in: 0...255) })
    }

    // MARK: - OwnerNotifications

    package func notices() throws -> [Notice] {
        try self.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM notice ORDER BY id").map { row in
                Notice(
                    id: row["id"],
                    account: AccountID(row["account"]),
                    subject: row["subject"],
                    text: row["text"],
                    created: Moment(seconds: row["created"]),
                    token: Array(row["token"] as Data)
                )
            }
        }
    }

    /// It is in the INBOX.
    package func removeNotice(_ id: Int64) throws {
        try self.write { database in
            try database.execute(sql: "DELETE FROM notice WHERE id = ?", arguments: [id])
        }
    }
}

extension GrantRow {
    /// Whether it waits for the owner's word.
    package var isPending: Bool { !self.confirmed && self.source == Source.local.rawValue }

    /// In one line, as the audit log has it.
    var line: String {
        let place = self.folder.map { " in \($0)\(self.subtree ? " and below" : "")" } ?? ""
        return
            "\(self.account) \(self.subject) \(self.rights.isEmpty ? "-" : self.rights)\(place), "
            + "send \(self.send)"
    }
}

extension GrantRequest {
    /// In one line: rights, place, send right, end.
    var line: String {
        let place =
            switch self.scope {
            case .account: "the whole account"
            case .folder(let folder): "folder \(folder)"
            case .subtree(let folder): "folder \(folder) and below"
            }
        let rights = self.rights.isEmpty ? "no folder rights" : "rights \(self.rights.letters)"
        let end = self.until.map { date in
            let text = Date(timeIntervalSince1970: TimeInterval(date.seconds)).ISO8601Format()
            return ", until \(text)"
        }
        return "\(place): \(rights), sending \(self.send.name)\(end ?? "")"
    }
}
