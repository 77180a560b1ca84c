package import Access
import Foundation

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

/// A grant of which an account's owner is told.
struct GrantNotice {
    /// The grant's number.
    var id: Int64
    var account: Int64
    /// What holds of the owner's consent.
    var consent: Consent
    /// Whether it waits for the owner.
    var isPending: Bool
    /// Who gave it.
    var actor: String
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
        let hash = try self.read { transaction in
            try transaction.value(
                of: String.self,
                sql: "SELECT password FROM user WHERE login = ? AND disabled = 0",
                arguments: [try PermissionStore.address(login).description]
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
        try self.read { transaction in
            let owner = try transaction.userID(login: login)
            let waiting = try transaction.rules(awaiting: owner)
                .grants(awaiting: UserID(owner)).map(\.id)
            return try transaction.grants(where: RowFilter("g.id", in: waiting)).map(\.row)
        }
    }

    /// Lets a grant count: its owner agrees.
    package func confirmGrant(_ id: Int64, owner login: String) throws {
        try self.decide(id, what: "confirm", login: login) { transaction, grant in
            try transaction.clear(
                RowFilter(
                    account: grant.account.rawValue,
                    subject: grant.subject,
                    scope: grant.scope
                ).and("id <> ?", arguments: [id]),
                sides: grant.sides
            )
            try transaction.execute(
                sql: "UPDATE \"grant\" SET confirmed = 1 WHERE id = ?",
                arguments: [id]
            )
        }
    }

    /// Drops a grant that waits: its owner does not agree.
    package func refuseGrant(_ id: Int64, owner login: String) throws {
        try self.decide(id, what: "refuse", login: login) { transaction, _ in
            try transaction.execute(sql: "DELETE FROM \"grant\" WHERE id = ?", arguments: [id])
        }
    }

    private func decide(
        _ id: Int64,
        what: String,
        login: String,
        body: (StoreTransaction, Grant) throws -> Void
    ) throws {
        let address = try PermissionStore.address(login).description
        func details(_ row: GrantRow) -> [String] { [row.line] }
        let account = try self.read { transaction in
            try transaction.grants(where: RowFilter("g.id", in: [id])).first?.row.account
        }
        _ = try self.edit(
            Edit(actor: address, "consent \(what) \(id)", account: account),
            details: details
        ) { transaction in
            let owner = try transaction.userID(login: address)
            let waiting = try transaction.rules(awaiting: owner).grants(awaiting: UserID(owner))
            let rows = try transaction.grants(where: RowFilter("g.id", in: [id]))
            guard let grant = waiting.first(where: { $0.id == id }), let row = rows.first?.row
            else {
                throw StoreError.notFound(
                    "no grant \(id) waits for \(address): gatepost consent list"
                )
            }
            try body(transaction, grant)
            return row
        }
    }

    // MARK: - Whether the owner is asked, and told

    /// Keeps what the gateway is told, so that no command can be told less.
    package func setConsent(_ consent: Consent) throws {
        guard try self.read({ try $0.consent() }) != consent else { return }
        try self.edit(Edit(actor: "gatepost", from: "serve", "consent \(consent.rawValue)")) {
            transaction in
            try transaction.execute(
                sql: "INSERT OR REPLACE INTO setting (name, value) VALUES ('consent', ?)",
                arguments: [consent.rawValue]
            )
        }
    }

    /// What holds: the stricter of what a command and the gateway are told.
    package func consent(atLeast told: Consent) throws -> Consent {
        try self.read { try $0.consent(atLeast: told) }
    }

    // MARK: - OwnerNotifications

    package func notices() throws -> [Notice] {
        try self.read { transaction in
            try transaction.rows(sql: "SELECT * FROM notice ORDER BY id").map { row in
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
        try self.write { transaction in
            try transaction.execute(sql: "DELETE FROM notice WHERE id = ?", arguments: [id])
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

/// The same within a transaction.
extension StoreTransaction {
    func consent(atLeast told: Consent) throws -> Consent {
        let kept = try self.consent()
        return kept.strictness > told.strictness ? kept : told
    }

    func consent() throws -> Consent {
        try self.value(of: String.self, sql: "SELECT value FROM setting WHERE name = 'consent'")
            .flatMap(Consent.init) ?? .off
    }

    /// Whether a grant counts only when the account's owner has confirmed it: not for the owner, and
    /// not where it takes something away from what the same subject has.
    func waitsForOwner(
        _ request: GrantRequest,
        on account: Int64,
        consent: Consent
    ) throws -> Bool {
        guard consent == .required else { return false }
        let subject = try self.subject(text: request.subject)
        let rules = try self.rules(on: [account], about: [subject])
        return rules.needsConsent(
            Grant(
                id: 0,
                account: AccountID(account),
                subject: subject,
                rights: request.rights,
                send: request.send,
                scope: request.scope,
                until: request.until
            )
        )
    }

    /// Leaves a message for an account's owner about a grant, where that is asked for.
    func notify(
        _ notice: GrantNotice,
        of request: GrantRequest
    ) throws {
        guard notice.consent != .off else { return }
        let subject = try self.subject(text: request.subject)
        let rules = try self.rules(on: [notice.account], about: [subject])
        let account = AccountID(notice.account)
        guard let owner = rules.ownerToTell(of: subject, on: account) else { return }
        let name = try self.primary(of: notice.account)
        let login = rules.name(of: .user(owner)) ?? ""
        let isPending = notice.isPending
        var lines = [
            "\(notice.actor) has given \(request.subject) access to the mailbox \(name):", "",
            "    \(request.line)", "",
        ]
        if let reason = request.reason { lines += ["Reason: \(reason)", ""] }
        lines.append(
            isPending
                ? "Nothing of it counts until you agree. On the gateway's machine:\n\n"
                    + "    gatepost consent confirm \(notice.id) --as \(login)\n"
                    + "    gatepost consent refuse \(notice.id) --as \(login)\n\n"
                    + "Your password is asked for. Your administrator helps you with it."
                : "It counts already. Ask your administrator if you did not expect it."
        )
        try self.execute(
            sql: """
                INSERT INTO notice (account, subject, text, created, token) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                notice.account,
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
}
