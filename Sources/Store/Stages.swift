package import Access
import Foundation

/// Staged imports: permissions loaded from Exchange that an administrator reviews before they
/// take effect.
extension PermissionStore {
    /// The versions of the saved permissions of some accounts, to be read before a load begins.
    /// The version increases with each change of the saved permissions, and with each change of
    /// a login, an address or an owner.
    /// - Throws: ``StoreError`` for an unknown account, and for one that is not on Exchange.
    package func permissionsVersions(of accounts: [String]) throws -> [Int64] {
        try self.read { transaction in
            try accounts.map { name in
                let id = try transaction.exchangeAccountID(name: name)
                return try transaction.permissionsVersion(of: id) ?? 0
            }
        }
    }

    /// Stores loaded permissions for ``saveStages(of:confirmsEveryone:actor:)`` or
    /// ``discardStages(of:actor:)``; an earlier stage of the same account is replaced. A stage
    /// has no effect on access.
    /// - Parameters:
    ///   - loaded: For each account the version that ``permissionsVersions(of:)`` gave before
    ///     the load.
    ///   - source: Where the permissions were loaded from.
    /// - Throws: ``StoreError`` if an account is not on Exchange, or its version changed during
    ///   the load; then nothing is stored.
    package func stage(
        _ loaded: [(account: String, version: Int64, permissions: ImportedPermissions)],
        source: String,
        actor: String
    ) throws -> [StageReport] {
        let names = loaded.map(\.account).joined(separator: " ")
        return try self.edit(
            Edit(
                actor: actor,
                action: "permissions load \(names)",
                account: loaded.count == 1 ? names : nil
            )
        ) { transaction in
            try loaded.map { name, version, permissions in
                let id = try transaction.exchangeAccountID(name: name)
                let document = try JSONEncoder().encode(permissions)
                try transaction.execute(
                    sql: """
                        INSERT INTO stage
                            (account, permissionsVersion, document, source, author, created)
                        VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (account) DO UPDATE SET
                        permissionsVersion = excluded.permissionsVersion,
                        document = excluded.document, source = excluded.source,
                        author = excluded.author, created = excluded.created
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
                            + "loaded; nothing was stored: gatepost permissions load \(stage.name)"
                    )
                }
                return try transaction.report(of: stage)
            }
        }
    }

    /// The stages of some accounts, compared with what is saved.
    /// - Parameter accounts: Addresses; empty for every stage.
    /// - Throws: ``StoreError`` of kind `notFound` if there is no stage.
    package func stages(of accounts: [String]) throws -> [StageReport] {
        try self.read { transaction in
            try transaction.stages(of: accounts).map { try transaction.report(of: $0) }
        }
    }

    /// Puts stages into effect, all of them or none.
    /// - Parameters:
    ///   - accounts: Addresses; empty for every stage.
    ///   - confirmsEveryone: Whether the administrator confirms what Exchange gives to
    ///     everyone.
    /// - Returns: The changes that were made.
    /// - Throws: ``StoreError`` if there is no stage, or users or permissions changed after the
    ///   load.
    package func saveStages(
        of accounts: [String],
        confirmsEveryone: Bool,
        actor: String
    ) throws -> [StageReport] {
        let names = accounts.isEmpty ? "all" : accounts.joined(separator: " ")
        return try self.edit(
            Edit(
                actor: actor,
                action: "permissions save \(names)",
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

    /// Deletes stages.
    /// - Parameter accounts: Addresses; empty for every stage.
    /// - Returns: The primary addresses of the accounts whose stage was deleted.
    /// - Throws: ``StoreError`` of kind `notFound` if there is no stage.
    package func discardStages(of accounts: [String], actor: String) throws -> [String] {
        let names = accounts.isEmpty ? "all" : accounts.joined(separator: " ")
        return try self.edit(Edit(actor: actor, action: "permissions discard \(names)")) {
            transaction in
            try transaction.stages(of: accounts).map { stage in
                try transaction.execute(
                    sql: "DELETE FROM stage WHERE account = ?",
                    arguments: [stage.account]
                )
                return stage.name
            }
        }
    }
}

/// Stages inside a transaction.
extension StoreTransaction {
    /// A line of the lists that a stage is compared by.
    typealias Line = StageReport.Line

    /// The version of what a stage of an account depends on: its saved permissions, and all
    /// names. It increases with each change of either. Nil for an unknown account.
    func permissionsVersion(of account: Int64) throws -> Int64? {
        try self.value(
            of: Int64.self,
            sql: """
                SELECT account.permissionsVersion + nameVersion.value FROM account, nameVersion
                WHERE account.id = ?
                """,
            arguments: [account]
        )
    }

    /// Increments the version of an account's saved permissions, so that a stage loaded before
    /// cannot be saved.
    func permissionsChanged(_ account: Int64) throws {
        try self.execute(
            sql: "UPDATE account SET permissionsVersion = permissionsVersion + 1 WHERE id = ?",
            arguments: [account]
        )
    }

    /// The key of an Exchange account.
    /// - Throws: ``StoreError`` for an unknown account, and for one that is not on Exchange.
    func exchangeAccountID(name: String) throws -> Int64 {
        let id = try self.accountID(text: name)
        let rules = try self.rules(on: [id], about: [])
        try Self.decide(.withdrawal, account: name) { () throws(EditRefusal) in
            try rules.requireGrants(from: .exchange, on: AccountID(id))
        }
        return id
    }

    /// The kind of an account; nil if the account is gone.
    func kind(of account: Int64) throws -> Account.Kind? {
        try self.value(
            of: String.self,
            sql: "SELECT kind FROM account WHERE id = ?",
            arguments: [account]
        ).flatMap(Account.Kind.init)
    }

    /// One stage as it is stored.
    struct Stage {
        /// The key of the account's row.
        var account: Int64
        /// The primary address.
        var name: String
        /// The version of the saved permissions before the load.
        var version: Int64
        /// Where the permissions were loaded from.
        var source: String
        /// Who loaded them.
        var author: String
        /// When it was loaded, in seconds since 1970.
        var created: Int64
        /// The entries and denials that were loaded.
        var permissions: ImportedPermissions

        /// Reads the stage of an account.
        /// - Throws: ``StoreError`` of kind `notFound` if there is none.
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

        /// Whether neither the saved permissions nor any name changed since before the load.
        func isCurrent(_ transaction: StoreTransaction) throws -> Bool {
            try transaction.permissionsVersion(of: self.account) == self.version
        }

        /// The entries and denials as lines.
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

    /// A denial as a line.
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

    /// The stages of these accounts; of all accounts, sorted by address, if the list is empty.
    /// - Throws: ``StoreError`` of kind `notFound` if there is no stage.
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
