import Access

/// Export of the model.
extension PermissionStore {
    /// The whole model as one document, read in one transaction; without passwords and
    /// credentials.
    package func export() throws -> ModelDocument {
        try self.read { try $0.document() }
    }
}

/// Export inside a read transaction.
extension StoreTransaction {
    /// Every part of the model, each sorted so that two exports of the same store are equal.
    /// - Parameter parts: A document with the parts to read; nil for all.
    func document(parts: ModelDocument? = nil) throws -> ModelDocument {
        func wants<Entry>(_ part: KeyPath<ModelDocument, [Entry]?>) -> Bool {
            parts.map { $0[keyPath: part] != nil } ?? true
        }
        var document = ModelDocument()
        if wants(\.users) { document.users = try self.userRows() }
        if wants(\.groups) { document.groups = try self.groupRows() }
        if wants(\.accounts) { document.accounts = try self.documentAccounts() }
        if wants(\.grants) { document.grants = try self.documentGrants() }
        if wants(\.withdrawals) { document.withdrawals = try self.documentWithdrawals() }
        if wants(\.walls) { document.walls = try self.documentWalls() }
        return document
    }

    /// The grants as a document has them, sorted.
    private func documentGrants() throws -> [ModelDocument.Grant] {
        try self.grants().map { grant in
            let row = grant.row
            return ModelDocument.Grant(
                account: row.account,
                subject: row.subject,
                rights: row.rights,
                send: row.send,
                scope: row.folder.map { .folder($0, isSubtree: row.subtree) } ?? .account,
                until: row.until,
                source: row.source,
                reason: row.reason,
                confirmed: row.isPending ? false : nil
            )
        }
    }

    /// The accounts as a document has them, sorted by address.
    func documentAccounts() throws -> [ModelDocument.Account] {
        try self.accountRows().map { row in
            ModelDocument.Account(
                address: row.address,
                kind: row.kind,
                owner: row.owner,
                aliases: row.aliases,
                imap: row.imap,
                smtp: row.smtp,
                sentCopy: row.sentCopy,
                sentCopyRequired: row.sentCopyRequired ? true : nil,
                username: row.username,
                caFile: row.caFile
            )
        }
    }

    /// The local withdrawals as a document has them, sorted. Those of one subject, one row for each
    /// side, become one entry.
    func documentWithdrawals() throws -> [ModelDocument.Withdrawal] {
        var sides: [ExactText: ModelDocument.Withdrawal] = [:]
        for row in try self.withdrawals().map(\.row)
        where row.source == Source.local.rawValue {
            let key = ExactText("\(row.account) \(row.subject)")
            let known = sides[key]
            sides[key] = ModelDocument.Withdrawal(
                account: row.account,
                subject: row.subject,
                view: row.view || known?.view ?? false,
                send: row.send || known?.send ?? false
            )
        }
        return sides.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The walls as a document has them, sorted by account and subject.
    func documentWalls() throws -> [ModelDocument.Wall] {
        try self.walls().map {
            ModelDocument.Wall(
                account: $0.row.account,
                subject: $0.row.subject,
                reason: $0.row.reason
            )
        }
    }
}
