import Access

/// Applying a document to the store.
extension PermissionStore {
    /// How often the differences are computed. Another edit between the computation and the
    /// writing makes them invalid.
    private static let attempts = 2

    /// Makes the store equal to the document, in one transaction. A part that is nil in the
    /// document stays as it is. Users and accounts that stay keep their passwords and
    /// credentials.
    ///
    /// The differences are computed on a copy, so the store is locked only while they are
    /// written, and not at all by a dry run.
    /// - Parameters:
    ///   - dryRun: Whether only to compute the changes.
    ///   - revision: The revision for which the changes were shown; nil applies to any
    ///     revision.
    ///   - consent: The consent setting of the command's configuration.
    ///   - actor: The name that the audit log records.
    /// - Returns: The changes, one line each.
    /// - Throws: ``StoreError`` if the revision differs, or the document cannot be applied;
    ///   then nothing is changed.
    package func apply(
        _ document: ModelDocument,
        dryRun: Bool,
        revision: Int64? = nil,
        consent: Consent = .off,
        actor: String
    ) throws -> ModelChanges {
        for _ in 0..<Self.attempts {
            let plan = try self.plan(document, consent: consent, actor: actor)
            guard revision == nil || revision == plan.changes.revision else {
                throw StoreError.refused(
                    "the store was changed after the changes were shown; nothing was "
                        + "applied: review the changes again"
                )
            }
            if dryRun { return plan.changes }
            do {
                try self.write(plan, actor: actor)
                return plan.changes
            } catch is DocumentPlan.Outdated {
                continue
            }
        }
        throw StoreError.unusable("other commands keep changing the store: try again")
    }

    /// Computes what a document changes, on a copy of the model.
    /// - Throws: ``StoreError`` if the document cannot be applied.
    func plan(
        _ document: ModelDocument,
        consent: Consent,
        actor: String
    ) throws -> DocumentPlan {
        let (changes, edit) = try self.engine.tryOnCopy { transaction in
            var changes = ModelChanges()
            changes.revision = try transaction.revision()
            let before = try transaction.document()
            try transaction.apply(document, before: before, consent: consent, actor: actor)
            let after = try transaction.document()
            (changes.added, changes.removed) = after.changes(from: before)
            return changes
        }
        return DocumentPlan(changes: changes, edit: edit)
    }

    /// Writes the differences in one edit.
    /// - Throws: ``DocumentPlan/Outdated`` if the store was changed since they were computed.
    func write(_ plan: DocumentPlan, actor: String) throws {
        let changes = plan.changes
        let details = changes.removed.map { "- \($0)" } + changes.added.map { "+ \($0)" }
        try self.edit(
            Edit(actor: actor, action: "apply", removesSecrets: true),
            details: { _ in details },
            body: { transaction in
                guard try transaction.revision() == changes.revision else {
                    throw DocumentPlan.Outdated()
                }
                try transaction.run(plan.edit)
            }
        )
    }
}

/// The differences between a document and the store.
struct DocumentPlan {
    /// The revision changed between the computation and the writing.
    struct Outdated: Error {}

    /// The revision for which the differences hold, and the differences as lines.
    var changes: ModelChanges
    /// The statements that make the store equal to the document.
    var edit: StorePlan
}

/// Each part of a document, inside the transaction that applies it. Each part writes only
/// entries that differ.
extension StoreTransaction {
    /// Applies all parts that the document has.
    /// - Parameter before: The whole model.
    /// - Throws: ``StoreError`` if the document cannot be applied.
    func apply(
        _ document: ModelDocument,
        before: ModelDocument,
        consent: Consent,
        actor: String
    ) throws {
        if let users = document.users { try self.apply(users: users, before: before.users ?? []) }
        if let groups = document.groups { try self.apply(groups: groups) }
        if let accounts = document.accounts {
            try self.apply(accounts: accounts, before: before.accounts ?? [])
        }
        if let grants = document.grants {
            try self.apply(grants: grants, consent: consent, actor: actor)
        }
        if let withdrawals = document.withdrawals {
            try self.apply(withdrawals: withdrawals, actor: actor)
        }
        if let walls = document.walls { try self.apply(walls: walls, actor: actor) }
    }

    /// Adds, changes and removes accounts. Aliases that an account loses are deleted first,
    /// because accounts may exchange theirs.
    /// - Throws: ``StoreError`` for an address that occurs twice, and as ``apply(_:)``.
    func apply(accounts: [ModelDocument.Account], before: [ModelDocument.Account]) throws {
        let addresses = try accounts.map { try PermissionStore.address($0.address) }
        try Self.requireDistinct("accounts", keys: addresses.map { [$0] }) {
            addresses[$0].description
        }
        let kept = Set(addresses.map { ExactText($0.description) })
        let present = try self.rows(
            sql: "SELECT address, account FROM address WHERE isPrimary = 1"
        )
        var keys: [Int64: ExactText] = [:]
        for row in present {
            let (id, address): (Int64, ExactText) = (row["account"], ExactText(row["address"]))
            keys[id] = address
            guard !kept.contains(address) else { continue }
            try self.execute(sql: "DELETE FROM account WHERE id = ?", arguments: [id])
        }
        try self.removeAliases(notIn: Array(zip(addresses, accounts)), primaries: keys)
        let lines = DocumentLines()
        let unchanged = Set(before.map { lines.line("account", value: $0) })
        let names = try DocumentNames(self)
        for account in accounts {
            guard unchanged.contains(lines.line("account", value: account)) else {
                try self.apply(account)
                continue
            }
            // The users of the document may lack the owner, who was removed then.
            if let owner = account.owner { _ = try names.subject(owner, transaction: self) }
        }
    }

    /// Deletes the aliases that no account of a document has, or that another one has.
    /// - Parameter primaries: The primary addresses by the keys of the accounts.
    private func removeAliases(
        notIn accounts: [(Address, ModelDocument.Account)],
        primaries: [Int64: ExactText]
    ) throws {
        var holders: [ExactText: Set<ExactText>] = [:]
        for (address, account) in accounts {
            for alias in account.aliases ?? [] {
                let name = ExactText(try PermissionStore.address(alias).description)
                holders[name, default: []].insert(ExactText(address.description))
            }
        }
        for row in try self.rows(sql: "SELECT address, account FROM address WHERE isPrimary = 0") {
            let wanted = holders[ExactText(row["address"])] ?? []
            if let holder = primaries[row["account"]], wanted.contains(holder) { continue }
            try self.execute(
                sql: "DELETE FROM address WHERE address = ?",
                arguments: [row["address"] as String]
            )
        }
    }

    /// Adds or changes one account; the credential stays as it is.
    /// - Throws: ``StoreError`` for an unknown kind, a change of kind, an unknown owner, an
    ///   unusable endpoint, and an address in use.
    func apply(_ account: ModelDocument.Account) throws {
        let address = try PermissionStore.address(account.address)
        guard let kind = Access.Account.Kind(rawValue: account.kind) else {
            throw StoreError.refused("the kind of \(address) must be imap or exchange")
        }
        let imap = try Self.endpoint(account.imap, address: address)
        let smtp = try account.smtp.map { try Self.endpoint($0, address: address) }
        let owner = try account.owner.map { try self.userID(login: $0) }
        var id = try self.value(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE address = ? AND isPrimary = 1",
            arguments: [address.description]
        )
        if let id, try self.kind(of: id) != kind {
            throw StoreError.refused(
                "the kind of \(address) cannot change: remove the account and add it again"
            )
        }
        if id == nil {
            try self.checkFree(address)
            try self.execute(
                sql: """
                    INSERT INTO account (kind, imapHost, imapPort, imapTLS, username)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    kind.rawValue, imap.host, imap.port, imap.tls.rawValue, address.description,
                ]
            )
            id = try self.insertedKey()
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
        }
        try self.execute(
            sql: """
                UPDATE account SET kind = ?, owner = ?, imapHost = ?, imapPort = ?, imapTLS = ?,
                smtpHost = ?, smtpPort = ?, smtpTLS = ?, sentCopy = ?,
                sentCopyRequired = ?, username = coalesce(?, username), caFile = ? WHERE id = ?
                """,
            arguments: [
                kind.rawValue, owner, imap.host, imap.port, imap.tls.rawValue, smtp?.host,
                smtp?.port, smtp?.tls.rawValue, account.sentCopy ?? "none",
                account.sentCopyRequired ?? false, account.username, account.caFile, id,
            ]
        )
        let present = try self.values(
            of: String.self,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 0",
            arguments: [id]
        )
        var known = Set(present.map(ExactText.init))
        for alias in account.aliases ?? [] {
            let other = try PermissionStore.address(alias)
            // Only once: an alias that the document has twice is refused.
            if known.remove(ExactText(other.description)) != nil { continue }
            try self.checkFree(other)
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 0)",
                arguments: [other.description, id]
            )
        }
    }

    /// - Throws: ``StoreError`` for an unknown `tls`, and as ``check(_:)``.
    private static func endpoint(
        _ server: AccountRow.Server,
        address: Address
    ) throws -> Endpoint {
        guard let tls = Endpoint.Security(rawValue: server.tls) else {
            throw StoreError.refused("the tls of \(address) must be implicit, starttls or none")
        }
        let endpoint = Endpoint(host: server.host, port: server.port, tls: tls)
        try Self.check(endpoint)
        return endpoint
    }
}
