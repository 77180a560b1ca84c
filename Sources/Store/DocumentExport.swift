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
    func document() throws -> ModelDocument {
        var document = ModelDocument()
        document.users = try self.userRows()
        document.groups = try self.groupRows()
        document.accounts = try self.documentAccounts()
        document.grants = try self.grants().map { grant in
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
        document.withdrawals = try self.documentWithdrawals()
        document.walls = try self.documentWalls()
        return document
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
