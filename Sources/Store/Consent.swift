import Access

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
                sql: """
                    INSERT INTO setting (name, value) VALUES ('consent', ?)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value
                    """,
                arguments: [consent.rawValue]
            )
        }
    }

    /// The stricter of the gateway's stored setting and that of the command.
    /// - Parameter told: The setting of the command's configuration.
    package func consent(atLeast told: Consent) throws -> Consent {
        try self.read { try $0.consent(atLeast: told) }
    }
}

/// Consent inside a transaction.
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
}
