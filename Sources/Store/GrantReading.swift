import Access
import Foundation
import GRDB

/// Grants as rows of a list.
extension PermissionStore {
    package func grants(account: String?, subject: String?) throws -> [GrantRow] {
        try self.read { database in
            try Self.grants(
                database,
                where: try Self.filter(database, of: "g", account: account, subject: subject)
            ).map(\.row)
        }
    }

    /// The rules on an account, of a subject, or both.
    /// - Parameter table: the table's short name.
    static func filter(
        _ database: Database,
        of table: String,
        account: String?,
        subject: String?
    ) throws -> RowFilter {
        var filter = RowFilter.all
        if let account {
            let id = try self.accountID(database, text: account)
            filter = filter.and(RowFilter("\(table).account", in: [id]))
        }
        if let subject {
            let named = try self.subject(database, text: subject)
            filter = filter.and(
                "\(table).user IS ? AND \(table).\"group\" IS ?",
                arguments: [named.userKey, named.groupKey]
            )
        }
        return filter
    }

    /// - Parameter filter: of the table `g`.
    static func grants(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> [StoredRule<GrantRow>] {
        let grants = try filter.rows(
            database,
            of: """
                SELECT g.*, address.address,
                    coalesce(user.login, 'group:' || inner.name, 'anyone') AS subject
                FROM "grant" AS g
                JOIN address ON address.account = g.account AND isPrimary = 1
                LEFT JOIN user ON user.id = g.user
                LEFT JOIN "group" AS inner ON inner.id = g."group"
                """,
            order: "ORDER BY address.address, subject, g.folder, g.id"
        ).map(self.grant)
        return try self.marked(grants, in: database)
    }

    private static func grant(_ row: Row) -> StoredRule<GrantRow> {
        let folder = (row["folder"] as Data?).map { String(decoding: $0, as: UTF8.self) }
        let shown = GrantRow(
            id: row["id"],
            account: row["address"],
            subject: row["subject"],
            rights: row["rights"],
            send: row["send"],
            folder: folder,
            subtree: row["subtree"],
            source: row["source"],
            via: row["via"],
            confirmed: row["confirmed"],
            until: row["until"],
            author: row["author"],
            created: row["created"],
            reason: row["reason"]
        )
        return StoredRule(account: row["account"], subject: self.subject(row), row: shown)
    }

    /// Says of each grant what withdrawals leave without effect.
    private static func marked(
        _ grants: [StoredRule<GrantRow>],
        in database: Database
    ) throws -> [StoredRule<GrantRow>] {
        let accounts = Set(grants.map(\.account))
        let filter = RowFilter("account", in: accounts)
        let touched = Set(try self.loadWithdrawals(database, where: filter).map(\.account.rawValue))
        guard !touched.isEmpty else { return grants }
        let subjects = Set(grants.filter { touched.contains($0.account) }.map(\.subject))
        let rules = try self.rules(database, on: touched, about: subjects)
        return grants.map { grant in
            guard touched.contains(grant.account) else { return grant }
            let withdrawn = rules.sidesWithdrawn(
                from: grant.subject,
                on: AccountID(grant.account)
            )
            let given = Sides(view: !grant.row.rights.isEmpty, send: grant.row.send != "none")
            let sides = withdrawn.intersection(given)
            guard !sides.isEmpty else { return grant }
            var marked = grant
            marked.row.withdrawn = sides.words
            return marked
        }
    }
}
