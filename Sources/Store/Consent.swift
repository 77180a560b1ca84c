package import Access
import Foundation

/// The part that an owner has in grants on the owner's account.
package enum Consent: String, Sendable, CaseIterable {
    /// A grant takes effect after the owner confirms it.
    case required
    /// A grant takes effect at once, and the owner receives a message about it.
    case notify
    /// The owner is neither asked nor notified.
    case off
}

/// The order of the three values.
extension Consent {
    /// 0 to 2; the higher one protects the owner more.
    var strictness: Int {
        switch self {
        case .off: 0
        case .notify: 1
        case .required: 2
        }
    }
}

/// A new grant that the account's owner is notified of.
struct GrantNotice {
    /// The grant's number.
    var id: Int64
    /// The key of the account's row.
    var account: Int64
    /// The consent setting in effect.
    var consent: Consent
    /// Whether the grant waits for the owner's confirmation.
    var isPending: Bool
    /// Who made the grant.
    var actor: String
}

/// A message to an account's owner, kept until it is in the owner's INBOX.
package struct Notice: Equatable, Sendable {
    /// The notice's number, in the order of creation.
    package var id: Int64
    /// The account whose INBOX receives the message.
    package var account: AccountID
    /// The text of the Subject header field.
    package var subject: String
    /// The text of the body, with LF line ends.
    package var text: String
    /// When the grant was made.
    package var created: Moment
    /// 16 random octets for the Message-ID; see ``StoreTransaction/noticeToken()``.
    package var token: [UInt8]
}

/// Decisions of owners on pending grants, and the consent setting.
extension PermissionStore {
    /// Checks the password of an owner who decides at a terminal. An unknown login takes as
    /// long as a wrong password, so that the time does not reveal which logins exist. Takes
    /// about 0.1 seconds of CPU time.
    /// - Throws: ``StoreError`` of kind `refused` for a wrong password, and for an unknown or
    ///   disabled user; the refusal is recorded in the audit log.
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

    /// The grants on an owner's accounts that wait for confirmation.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login.
    package func pendingGrants(owner login: String) throws -> [GrantRow] {
        try self.read { transaction in
            let owner = try transaction.userID(login: login)
            let waiting = try transaction.rules(awaiting: owner)
                .grants(awaiting: UserID(owner)).map(\.id)
            return try transaction.grants(where: RowFilter("g.id", in: waiting)).map(\.row)
        }
    }

    /// Puts a pending grant into effect. It replaces the other local grants of the same subject
    /// and scope, on the sides that it gives.
    /// - Throws: ``StoreError`` of kind `notFound` if no such grant waits for this owner.
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

    /// Deletes a pending grant.
    /// - Throws: ``StoreError`` of kind `notFound` if no such grant waits for this owner.
    package func refuseGrant(_ id: Int64, owner login: String) throws {
        try self.decide(id, what: "refuse", login: login) { transaction, _ in
            try transaction.execute(sql: "DELETE FROM \"grant\" WHERE id = ?", arguments: [id])
        }
    }

    /// One decision: checks inside the edit's transaction that the grant still waits for this
    /// owner.
    /// - Parameters:
    ///   - what: `confirm` or `refuse`, for the audit log.
    ///   - body: Carries the decision out.
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
            Edit(actor: address, action: "consent \(what) \(id)", account: account),
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

    /// Stores the gateway's consent setting, so that a command with a weaker setting cannot
    /// bypass it. Does nothing if the setting is unchanged.
    /// - Throws: ``StoreError`` if the store cannot be written.
    package func setConsent(_ consent: Consent) throws {
        guard try self.read({ try $0.consent() }) != consent else { return }
        try self.edit(Edit(actor: "gatepost", from: "serve", action: "consent \(consent.rawValue)"))
        {
            transaction in
            try transaction.execute(
                sql: "INSERT OR REPLACE INTO setting (name, value) VALUES ('consent', ?)",
                arguments: [consent.rawValue]
            )
        }
    }

    /// The stricter of the gateway's stored setting and that of the command.
    /// - Parameter told: The setting of the command's configuration.
    package func consent(atLeast told: Consent) throws -> Consent {
        try self.read { try $0.consent(atLeast: told) }
    }

    // MARK: - Notices

    /// The messages that are not delivered yet, oldest first.
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

    /// Removes a notice once the message is in the INBOX. The revision stays as it is, and the
    /// audit log gets no record.
    package func removeNotice(_ id: Int64) throws {
        try self.write { transaction in
            try transaction.execute(sql: "DELETE FROM notice WHERE id = ?", arguments: [id])
        }
    }
}

/// A grant as the audit log and notices describe it.
extension GrantRow {
    /// Whether the grant waits for the owner's confirmation. Imported grants wait for the
    /// administrator instead.
    package var isPending: Bool { !self.confirmed && self.source == Source.local.rawValue }

    /// One line for the audit log: `ACCOUNT SUBJECT RIGHTS [in FOLDER [and below]], send
    /// RIGHT`.
    var line: String {
        let place = self.folder.map { " in \($0)\(self.subtree ? " and below" : "")" } ?? ""
        return
            "\(self.account) \(self.subject) \(self.rights.isEmpty ? "-" : self.rights)\(place), "
            + "send \(self.send)"
    }
}

/// A requested grant as the audit log and notices describe it.
extension GrantRequest {
    /// One line: scope, rights, right to send, and the end, in UTC.
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

/// Consent and notices inside a transaction.
extension StoreTransaction {
    /// The stricter of the stored setting and the given one.
    func consent(atLeast told: Consent) throws -> Consent {
        let kept = try self.consent()
        return kept.strictness > told.strictness ? kept : told
    }

    /// The stored setting; `off` if none is stored.
    func consent() throws -> Consent {
        try self.value(of: String.self, sql: "SELECT value FROM setting WHERE name = 'consent'")
            .flatMap(Consent.init) ?? .off
    }

    /// Whether a grant takes effect only after the owner confirms it. A grant does not wait if
    /// consent is not required, if the account has no owner or the subject is the owner, or if
    /// the subject has a local grant in the same scope that gives at least as much for as long.
    /// - Parameters:
    ///   - account: The key of the account's row.
    ///   - consent: The setting in effect.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown subject.
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

    /// Adds a notice for the account's owner, unless consent is off, the account has no owner,
    /// or the subject is the owner.
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
                ? "It takes effect only after you agree. On the gateway's machine:\n\n"
                    + "    gatepost consent confirm \(notice.id) --as \(login)\n"
                    + "    gatepost consent refuse \(notice.id) --as \(login)\n\n"
                    + "The command asks for your password. Your administrator can help you."
                : "It is in effect now. Ask your administrator if you did not expect it."
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

    /// 16 random octets. They make the Message-ID of the next notice unpredictable: otherwise
    /// somebody who can store messages in the INBOX could store one with that Message-ID, and
    /// the gateway would take the notice for delivered.
    static func noticeToken() -> Data {
        Data((0..<16).map { _ in UInt8.random(in: 0...255) })
    }
}
