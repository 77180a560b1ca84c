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
    /// Local withdrawals of one subject, one row for each side, become one entry.
    func document() throws -> ModelDocument {
        var document = ModelDocument()
        document.users = try self.rows(sql: "SELECT * FROM user ORDER BY login").map {
            UserRow(
                login: $0["login"],
                name: $0["name"],
                role: $0["role"],
                disabled: $0["disabled"],
                osUser: $0["osUser"]
            )
        }
        document.groups = try self.values(
            of: String.self,
            sql: "SELECT name FROM \"group\" ORDER BY name"
        ).map { GroupRow(name: $0, members: try self.members(of: $0)) }
        document.accounts = try self.values(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE isPrimary = 1 ORDER BY address"
        ).map { id in
            let row = try self.row(of: id)
            return ModelDocument.Account(
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
        document.withdrawals = sides.sorted { $0.key < $1.key }.map(\.value)
        document.walls = try self.walls().map {
            ModelDocument.Wall(
                account: $0.row.account,
                subject: $0.row.subject,
                reason: $0.row.reason
            )
        }
        return document
    }
}
