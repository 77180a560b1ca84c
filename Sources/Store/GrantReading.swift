import Access
import Foundation

/// Grants as rows of a list.
extension PermissionStore {
    /// The grants on one account, of one subject, or both; without a filter all grants.
    /// Imported grants are included.
    /// - Parameters:
    ///   - account: Any address of the account.
    ///   - subject: A login or `group:NAME`. Grants of groups that contain the subject are not
    ///     included.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown account or subject.
    package func grants(account: String?, subject: String?) throws -> [GrantRow] {
        try self.read { transaction in
            try transaction.grants(
                where: try transaction.filter(of: "g", account: account, subject: subject)
            ).map(\.row)
        }
    }
}

/// Reading of grants inside a transaction.
extension StoreTransaction {
    /// A condition for the rules on an account, of a subject, or both.
    /// - Parameter table: The alias of the table in the query, such as `g`.
    func filter(
        of table: String,
        account: String?,
        subject: String?
    ) throws -> RowFilter {
        var filter = RowFilter.all
        if let account {
            let id = try self.accountID(text: account)
            filter = filter.and(RowFilter("\(table).account", in: [id]))
        }
        if let subject {
            let named = try self.subject(text: subject)
            filter = filter.and(RowFilter(subject: named, table: "\(table)."))
        }
        return filter
    }

    /// Grants with the names of their account and subject, sorted by these and by folder.
    /// - Parameter filter: A condition on the table `grant AS g`.
    func grants(where filter: RowFilter = .all) throws -> [StoredRule<GrantRow>] {
        var grants: [StoredRule<GrantRow>] = []
        try filter.forEach(
            self,
            of: """
                SELECT g.id, address.address, coalesce(users.login, 'group:' || inside.name, 'anyone')
                    AS subject, g.rights, g.send, g.folder, g.subtree, g.source, g.via, g.confirmed,
                    g.until, g.author, g.created, g.reason, g.account, g.user, g."group", g.everyone
                FROM "grant" AS g
                JOIN address ON address.account = g.account AND isPrimary = 1
                LEFT JOIN user AS users ON users.id = g.user
                LEFT JOIN "group" AS inside ON inside.id = g."group"
                """,
            order: "ORDER BY address.address, subject, g.folder, g.id"
        ) { grants.append(Self.grant($0)) }
        return try self.marked(grants)
    }

    /// A row of the joined query as a row of a list.
    private static func grant(_ row: StoreRow) -> StoredRule<GrantRow> {
        let shown = GrantRow(
            id: row[0],
            account: row[1],
            subject: row[2],
            rights: row[3],
            send: row[4],
            folder: (row[5] as Data?).map { String(decoding: $0, as: UTF8.self) },
            subtree: row[6],
            source: row[7],
            via: row[8],
            confirmed: row[9],
            until: row[10],
            author: row[11],
            created: row[12],
            reason: row[13]
        )
        return StoredRule(account: row[14], subject: Self.subject(row), row: shown)
    }

    /// Marks each grant that a withdrawal makes ineffective with the sides that have no effect.
    /// Rules are loaded only for accounts with a withdrawal.
    private func marked(_ grants: [StoredRule<GrantRow>]) throws -> [StoredRule<GrantRow>] {
        let accounts = Set(grants.map(\.account))
        let filter = RowFilter("account", in: accounts)
        let touched = Set(try self.loadWithdrawals(where: filter).map(\.account.rawValue))
        guard !touched.isEmpty else { return grants }
        let subjects = Set(grants.filter { touched.contains($0.account) }.map(\.subject))
        let rules = try self.rules(on: touched, about: subjects)
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
