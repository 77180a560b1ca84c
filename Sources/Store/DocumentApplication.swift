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
    ///   - consent: The consent setting of the command's configuration.
    ///   - actor: The name that the audit log records.
    /// - Returns: The changes, one line each.
    /// - Throws: ``StoreError`` if the document cannot be applied; then nothing is changed.
    package func apply(
        _ document: ModelDocument,
        dryRun: Bool,
        consent: Consent = .off,
        actor: String
    ) throws -> ModelChanges {
        for _ in 0..<Self.attempts {
            let plan = try self.plan(document, consent: consent, actor: actor)
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

    /// Applies differences that were shown to an administrator.
    /// - Throws: ``StoreError`` if the store was changed since they were computed; then nothing
    ///   is changed.
    package func apply(
        _ plan: DocumentPlan,
        actor: String,
        progress: StoreProgress = .none
    ) throws {
        do {
            try self.write(plan, actor: actor, progress: progress)
        } catch is DocumentPlan.Outdated {
            throw StoreError.refused(
                "the store was changed after the changes were shown; nothing was "
                    + "applied: review the changes again"
            )
        }
    }

    /// Computes what a document changes, on a copy of the model, without a lock of the store.
    /// - Parameters:
    ///   - consent: The consent setting of the command's configuration.
    ///   - actor: The author of new grants and walls.
    /// - Throws: ``StoreError`` if the document cannot be applied.
    package func plan(
        _ document: ModelDocument,
        consent: Consent,
        actor: String,
        progress: StoreProgress = .none
    ) throws -> DocumentPlan {
        let ((rest, concernsGrants), revision) = try self.read { transaction in
            progress.begin("comparing the document with the store")
            return (try transaction.different(document), try transaction.revision())
        }
        if rest.isEmpty {
            return DocumentPlan(
                changes: ModelChanges(revision: revision),
                edit: StorePlan(statements: [])
            )
        }
        var edit = DocumentEdit(
            document: rest,
            concernsGrants: concernsGrants,
            consent: consent,
            actor: actor
        )
        let plan = try self.plan(edit, progress: progress)
        if plan.changes.revision == revision { return plan }
        // Another edit came between: what did not differ may differ now.
        edit.document = document
        edit.concernsGrants = true
        return try self.plan(edit, progress: progress)
    }

    /// Computes what an edit changes, on a copy of the model.
    private func plan(_ edit: DocumentEdit, progress: StoreProgress) throws -> DocumentPlan {
        // The grants are most of a store.
        let left: Set<String> = edit.concernsGrants ? [] : ["grant"]
        let (changes, plan) = try self.engine.tryOnCopy(without: left) { transaction in
            var changes = ModelChanges()
            changes.revision = try transaction.revision()
            let before = try transaction.document()
            progress.begin("trying the changes on a copy")
            try transaction.apply(
                edit.document,
                before: before,
                consent: edit.consent,
                actor: edit.actor
            )
            progress.begin("listing the changes")
            let after = try transaction.document()
            (changes.added, changes.removed) = after.changes(from: before)
            return changes
        }
        return DocumentPlan(changes: changes, edit: plan)
    }

    /// Writes the differences in one edit.
    /// - Throws: ``DocumentPlan/Outdated`` if the store was changed since they were computed.
    func write(
        _ plan: DocumentPlan,
        actor: String,
        progress: StoreProgress = .none
    ) throws {
        let changes = plan.changes
        let details = changes.removed.map { "- \($0)" } + changes.added.map { "+ \($0)" }
        try self.edit(
            Edit(actor: actor, action: "apply", removesSecrets: true),
            details: { _ in details },
            body: { transaction in
                guard try transaction.revision() == changes.revision else {
                    throw DocumentPlan.Outdated()
                }
                try transaction.run(plan.edit, progress: progress)
                progress.begin("writing the audit log")
            }
        )
    }
}

/// A document to apply, and the circumstances.
private struct DocumentEdit {
    /// The parts that differ from the store.
    var document: ModelDocument
    /// Whether grants may change. If not, the copy has none.
    var concernsGrants: Bool
    /// The consent setting of the command's configuration.
    var consent: Consent
    /// The author of new grants and walls.
    var actor: String
}

/// The differences between a document and the store.
package struct DocumentPlan {
    /// The revision changed between the computation and the writing.
    struct Outdated: Error {}

    /// The revision for which the differences hold, and the differences as lines.
    package let changes: ModelChanges
    /// The statements that make the store equal to the document.
    let edit: StorePlan
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
            try self.apply(accounts: accounts)
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
    func apply(accounts: [ModelDocument.Account]) throws {
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
        // The removal of a user has taken the user's accounts their owner: an account is unchanged
        // only if it is now as in the document.
        let now = Dictionary(
            try self.documentAccounts().map { (ExactText($0.address), $0) }
        ) { first, _ in first }
        for account in accounts
        where now[ExactText(account.address)]?.isSame(as: account) != true {
            try self.apply(account)
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
