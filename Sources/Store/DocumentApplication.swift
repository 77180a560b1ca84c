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
    ///   - known: The grants of the store, if they were read before. They are not used if the store
    ///     was changed since.
    /// - Throws: ``StoreError`` if the document cannot be applied.
    package func plan(
        _ document: ModelDocument,
        known: KnownGrants? = nil,
        consent: Consent,
        actor: String,
        progress: StoreProgress = .none
    ) throws -> DocumentPlan {
        let (rest, revision) = try self.read { transaction in
            progress.begin("comparing the document with the store")
            return (try transaction.different(document, known: known), try transaction.revision())
        }
        if rest.document.isEmpty {
            return DocumentPlan(
                changes: ModelChanges(revision: revision),
                edit: StorePlan(statements: [])
            )
        }
        var edit = DocumentEdit(
            rest: rest,
            consent: consent,
            actor: actor
        )
        let plan = try self.plan(edit, progress: progress)
        if plan.changes.revision == revision { return plan }
        // Another edit came between: what did not differ may differ now.
        edit.rest = DocumentRest(document: document, accounts: nil)
        return try self.plan(edit, progress: progress)
    }

    /// Computes what an edit changes, on a copy of the model.
    func plan(_ edit: DocumentEdit, progress: StoreProgress) throws -> DocumentPlan {
        // The grants are most of a store.
        let accounts = edit.rest.accounts
        // Without a removal, no part changes that is equal to the document's.
        let parts = accounts == nil ? nil : edit.rest.document
        let (changes, plan) = try self.engine.tryOnCopy(grantsOn: accounts) { transaction in
            var changes = ModelChanges()
            changes.revision = try transaction.revision()
            let before = try transaction.document(parts: parts)
            progress.begin("trying the changes on a copy")
            try transaction.apply(edit, before: before)
            progress.begin("listing the changes")
            let after = try transaction.document(parts: parts)
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
struct DocumentEdit {
    /// What differs from the store.
    var rest: DocumentRest
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
    /// - Parameter before: The model, or those parts of it that the document has.
    /// - Throws: ``StoreError`` if the document cannot be applied.
    fileprivate func apply(_ edit: DocumentEdit, before: ModelDocument) throws {
        let document = edit.rest.document
        if let users = document.users { try self.apply(users: users, before: before.users ?? []) }
        if let groups = document.groups { try self.apply(groups: groups) }
        if let accounts = document.accounts {
            try self.apply(accounts: accounts)
        }
        if let grants = document.grants {
            try self.apply(
                grants: grants,
                positions: edit.rest.positions,
                consent: edit.consent,
                actor: edit.actor
            )
        }
        if let withdrawals = document.withdrawals {
            try self.apply(withdrawals: withdrawals, actor: edit.actor)
        }
        if let walls = document.walls { try self.apply(walls: walls, actor: edit.actor) }
    }
}
