package import Access
import Foundation

extension PermissionStore {
    /// What a load compares with later: how often what is saved of each account, and who has which
    /// address, had changed before it began.
    /// - Throws: for what is no Exchange account.
    package func permissionsVersions(of accounts: [String]) throws -> [Int64] {
        try self.read { transaction in
            try accounts.map { name in
                let id = try transaction.exchangeAccountID(name: name)
                return try transaction.value(
                    of: Int64.self,
                    sql: "SELECT permissionsVersion FROM account WHERE id = ?",
                    arguments: [id]
                ) ?? 0
            }
        }
    }

    /// Keeps what was loaded of one or more accounts, for `save` or `discard`; a stage that was
    /// there before is replaced. Nothing of it is in force.
    ///
    /// - Parameter loaded: with what ``permissionsVersions(of:)`` said before the load began.
    package func stage(
        _ loaded: [(account: String, version: Int64, permissions: ImportedPermissions)],
        source: String,
        actor: String
    ) throws -> [StageReport] {
        let names = loaded.map(\.account).joined(separator: " ")
        return try self.edit(
            Edit(
                actor: actor,
                "permissions load \(names)",
                account: loaded.count == 1 ? names : nil
            )
        ) { transaction in
            try loaded.map { name, version, permissions in
                let id = try transaction.exchangeAccountID(name: name)
                let document = try JSONEncoder().encode(permissions)
                try transaction.execute(
                    sql: """
                        INSERT OR REPLACE INTO stage
                            (account, permissionsVersion, document, source, author, created)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        id, version, String(decoding: document, as: UTF8.self), source, actor,
                        Moment.current.seconds,
                    ]
                )
                let stage = try StoreTransaction.Stage(id, transaction: transaction)
                guard try stage.isCurrent(transaction) else {
                    throw StoreError.refused(
                        "users, or the permissions of \(stage.name), changed while they were "
                            + "loaded; nothing is kept: gatepost permissions load \(stage.name)"
                    )
                }
                return try transaction.report(of: stage)
            }
        }
    }

    /// - Parameter accounts: those to tell of; empty for all that are staged.
    package func stages(of accounts: [String]) throws -> [StageReport] {
        try self.read { transaction in
            try transaction.stages(of: accounts).map { try transaction.report(of: $0) }
        }
    }

    /// Puts what is staged into force, all of it or nothing.
    /// - Parameter confirmsEveryone: whether what Exchange gives to everyone counts.
    package func saveStages(
        of accounts: [String],
        confirmsEveryone: Bool,
        actor: String
    ) throws -> [StageReport] {
        let names = accounts.isEmpty ? "all" : accounts.joined(separator: " ")
        return try self.edit(
            Edit(
                actor: actor,
                "permissions save \(names)",
                account: accounts.count == 1 ? accounts[0] : nil
            ),
            details: StageReport.changes
        ) { transaction in
            try transaction.stages(of: accounts).map { stage in
                guard try stage.isCurrent(transaction) else {
                    throw StoreError.refused(
                        "users, or the permissions of \(stage.name), changed after they were loaded; "
                            + "nothing was saved: gatepost permissions load \(stage.name)"
                    )
                }
                let report = try transaction.report(of: stage)
                try transaction.save(
                    stage,
                    confirmsEveryone: confirmsEveryone,
                    actor: actor
                )
                return report
            }
        }
    }

    /// - Returns: the accounts whose stage was dropped.
    package func discardStages(of accounts: [String], actor: String) throws -> [String] {
        let names = accounts.isEmpty ? "all" : accounts.joined(separator: " ")
        return try self.edit(Edit(actor: actor, "permissions discard \(names)")) { transaction in
            try transaction.stages(of: accounts).map { stage in
                try transaction.execute(
                    sql: "DELETE FROM stage WHERE account = ?",
                    arguments: [stage.account]
                )
                return stage.name
            }
        }
    }

    // MARK: - One stage
}

/// The same within a transaction.
extension StoreTransaction {
    typealias Line = StageReport.Line

    /// What is saved of an account's permissions changed: a stage loaded before cannot be saved.
    func permissionsChanged(_ account: Int64) throws {
        try self.execute(
            sql: "UPDATE account SET permissionsVersion = permissionsVersion + 1 WHERE id = ?",
            arguments: [account]
        )
    }

    func exchangeAccountID(name: String) throws -> Int64 {
        let id = try self.accountID(text: name)
        let rules = try self.rules(on: [id], about: [])
        try Self.decide(.withdrawal, account: name) { () throws(EditRefusal) in
            try rules.requireGrants(from: .exchange, on: AccountID(id))
        }
        return id
    }

    func kind(of account: Int64) throws -> Account.Kind? {
        try self.value(
            of: String.self,
            sql: "SELECT kind FROM account WHERE id = ?",
            arguments: [account]
        ).flatMap(Account.Kind.init)
    }

    struct Stage {
        var account: Int64
        var name: String
        var version: Int64
        var source: String
        var author: String
        var created: Int64
        var permissions: ImportedPermissions

        init(_ account: Int64, transaction: StoreTransaction) throws {
            self.account = account
            self.name = try transaction.primary(of: account)
            let row = try transaction.row(
                sql: "SELECT * FROM stage WHERE account = ?",
                arguments: [account]
            )
            guard let row else {
                throw StoreError.notFound(
                    "nothing is loaded for \(self.name): gatepost permissions load \(self.name)"
                )
            }
            self.version = row["permissionsVersion"]
            self.source = row["source"]
            self.author = row["author"]
            self.created = row["created"]
            let document: String = row["document"]
            self.permissions = try JSONDecoder().decode(
                ImportedPermissions.self,
                from: Data(document.utf8)
            )
        }

        func isCurrent(_ transaction: StoreTransaction) throws -> Bool {
            let version = try transaction.value(
                of: Int64.self,
                sql: "SELECT permissionsVersion FROM account WHERE id = ?",
                arguments: [self.account]
            )
            return version == self.version
        }

        var lines: Set<Line> {
            var lines = Set(
                self.permissions.entries.map { entry in
                    Line(
                        subject: entry.login ?? "anyone",
                        via: entry.via,
                        rights: entry.rights,
                        send: entry.send,
                        folder: entry.folder,
                        denied: ""
                    )
                }
            )
            for denial in self.permissions.denials {
                lines.insert(StoreTransaction.line(of: denial))
            }
            return lines
        }
    }

    static func line(of denial: ImportedPermissions.Denial) -> Line {
        let sides = [denial.view ? "view" : nil, denial.send ? "send" : nil].compactMap { $0 }
        return Line(
            subject: denial.login,
            via: nil,
            rights: "",
            send: "none",
            folder: nil,
            denied: sides.joined(separator: " ")
        )
    }

    func stages(of accounts: [String]) throws -> [Stage] {
        guard accounts.isEmpty else {
            return try accounts.map {
                try Stage(try self.exchangeAccountID(name: $0), transaction: self)
            }
        }
        let staged = try self.values(
            of: Int64.self,
            sql: """
                SELECT stage.account FROM stage
                JOIN address ON address.account = stage.account AND isPrimary = 1
                ORDER BY address.address
                """
        )
        guard !staged.isEmpty else {
            throw StoreError.notFound("nothing is loaded: gatepost permissions load ACCOUNT")
        }
        return try staged.map { try Stage($0, transaction: self) }
    }
}
