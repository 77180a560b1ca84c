import Access
import Foundation
import SASL

/// A user to import, with the user's account if there is one. No value is checked yet.
package struct UserImportEntry: Equatable, Sendable {
    /// The account of the user, whose primary address is the login. Its kind is `imap`, and it has
    /// no credential.
    package struct Account: Equatable, Sendable {
        /// The IMAP server.
        package var imap: Endpoint
        /// The server that accepts mail from the account.
        package var smtp: Endpoint?
        /// The path of a PEM file with the certificates to trust for both servers.
        package var caFile: String?
        /// The user name at the servers; nil for the address.
        package var username: String?

        /// Creates the values without checking them.
        package init(
            imap: Endpoint,
            smtp: Endpoint? = nil,
            caFile: String? = nil,
            username: String? = nil
        ) {
            self.imap = imap
            self.smtp = smtp
            self.caFile = caFile
            self.username = username
        }
    }

    /// The login.
    package var login: String
    /// The display name.
    package var name: String?
    /// The account; nil for a user alone.
    package var account: Account?

    /// Creates the values without checking them.
    package init(_ login: String, name: String? = nil, account: Account? = nil) {
        self.login = login
        self.name = name
        self.account = account
    }
}

/// What an import did with one entry, or would do.
package enum UserImportResult: Equatable, Sendable {
    /// The user and the account of the entry were added.
    case added
    /// Nothing was added: the user exists, or an earlier entry has the login.
    case exists
    /// Nothing was added: the login is an address of this account.
    case taken(account: String)
    /// Nothing was added, for this reason.
    case refused(String)
}

/// The import of users with their accounts.
extension PermissionStore {
    /// Users of one transaction. A transaction locks the store for other commands, and its users
    /// and accounts must be fewer than ``StoreTransaction/maximumChangedRows``: a gateway reads the
    /// whole store after a larger one.
    static let importedUsersOfTransaction = 1_024

    /// Adds users without a password, and their accounts without a credential, by the rules of
    /// ``addUser(_:actor:)`` and ``addAccount(_:settings:masterKey:actor:)``.
    ///
    /// An entry that cannot be added does not stop the others. The user and the account of an entry
    /// are added together or not at all, with one audit record; 1,024 entries share a transaction.
    /// If the store fails after the first transaction, the entries that remain are refused with
    /// that reason.
    /// - Parameters:
    ///   - dryRun: Whether only to check. The store is then neither written nor locked.
    ///   - actor: The name that the audit log records.
    /// - Returns: A result for each entry, in order.
    /// - Throws: ``StoreError`` if the store fails before it is changed.
    package func importUsers(
        _ entries: [UserImportEntry],
        dryRun: Bool,
        actor: String,
        progress: StoreProgress = .none
    ) throws -> [UserImportResult] {
        var results = try self.checked(entries, progress: progress)
        guard !dryRun else { return results }
        let pending = results.indices.filter { results[$0] == .added }
        progress.begin("adding the users")
        for start in stride(from: 0, to: pending.count, by: Self.importedUsersOfTransaction) {
            progress.advance("adding the users", done: start, of: pending.count)
            let end = min(start + Self.importedUsersOfTransaction, pending.count)
            do {
                let added = try self.add(pending[start..<end].map { entries[$0] }, actor: actor)
                for (index, result) in zip(pending[start..<end], added) { results[index] = result }
            } catch {
                guard start > 0 else { throw error }
                for index in pending[start...] {
                    results[index] = .refused("the store failed before this was added: \(error)")
                }
                break
            }
        }
        return results
    }

    /// The results that an import would have.
    private func checked(
        _ entries: [UserImportEntry],
        progress: StoreProgress
    ) throws -> [UserImportResult] {
        progress.begin("checking the users")
        return try self.read { transaction in
            var added: Set<Address> = []
            return try entries.enumerated().map { index, entry in
                progress.advance("checking the users", done: index, of: entries.count)
                switch StoreTransaction.checkedLogin(of: entry) {
                case .failure(let error):
                    return .refused(error.description)
                case .success(let login) where added.contains(login):
                    return .exists
                case .success(let login):
                    if let obstacle = try transaction.obstacle(to: entry, login: login) {
                        return obstacle
                    }
                    added.insert(login)
                    return .added
                }
            }
        }
    }

    /// Adds entries in one transaction. Another command may have added one of them meanwhile.
    private func add(_ entries: [UserImportEntry], actor: String) throws -> [UserImportResult] {
        func details(_ results: [UserImportResult]) -> [String] {
            ["users \(results.count { $0 == .added })"]
        }
        return try self.edit(Edit(actor: actor, action: "user import"), details: details) {
            transaction in
            var records: [(moment: Moment, record: AuditRecord)] = []
            let results: [UserImportResult] = try entries.map { entry in
                let login = try StoreTransaction.checkedLogin(of: entry).get()
                if let obstacle = try transaction.obstacle(to: entry, login: login) {
                    return obstacle
                }
                try transaction.add(entry, login: login)
                records.append((.current, Self.record(of: entry, login: login, actor: actor)))
                return .added
            }
            try transaction.append(records)
            return results
        }
    }

    /// The audit record of an entry that was added.
    private static func record(
        of entry: UserImportEntry,
        login: Address,
        actor: String
    ) -> AuditRecord {
        var record = AuditRecord(event: "change", actor: actor, from: "command line")
        record.detail = ["user add \(login)"]
        guard let account = entry.account else { return record }
        var settings = AccountSettings()
        settings.kind = .imap
        settings.owner = login.description
        settings.imap = account.imap
        settings.smtp = account.smtp
        settings.caFile = account.caFile
        settings.username = account.username
        record.account = login.description
        record.detail = ["user add \(login)", "account add \(login)"] + settings.changes
        return record
    }
}

/// One entry of an import, inside a transaction.
extension StoreTransaction {
    /// Checks the values of an entry without the store, so that no statement can fail for them:
    /// PostgreSQL would end the transaction.
    /// - Returns: The login, or ``StoreError`` as of `user add` and `account add`.
    fileprivate static func checkedLogin(
        of entry: UserImportEntry
    ) -> Result<Address, StoreError> {
        do {
            let login = try Self.login(entry.login)
            for text in [entry.name, entry.account?.caFile].compactMap({ $0 })
            where text.utf8.contains(0) {
                throw StoreError.refused("the name or the CA file contains NUL")
            }
            guard let account = entry.account else { return .success(login) }
            try Self.check(account.imap)
            if let smtp = account.smtp { try Self.check(smtp) }
            if let username = account.username, !UpstreamCredential.isLegal(username.utf8) {
                throw StoreError.refused("the user name is empty or has control characters in it")
            }
            return .success(login)
        } catch let error as StoreError {
            return .failure(error)
        } catch {
            return .failure(.refused("\(error)"))
        }
    }

    /// The result of an entry whose user or account exists; nil if neither does.
    fileprivate func obstacle(
        to entry: UserImportEntry,
        login: Address
    ) throws -> UserImportResult? {
        let user = try self.value(
            of: Int64.self,
            sql: "SELECT id FROM user WHERE login = ?",
            arguments: [login.description]
        )
        guard user == nil else { return .exists }
        guard entry.account != nil else { return nil }
        return try self.primary(named: login.description).map { .taken(account: $0) }
    }

    /// Writes an entry that was checked.
    fileprivate func add(_ entry: UserImportEntry, login: Address) throws {
        try self.execute(
            sql: "INSERT INTO user (login, name, passwordVersion) VALUES (?, ?, 1)",
            arguments: [login.description, entry.name]
        )
        guard let account = entry.account else { return }
        let owner = try self.insertedKey()
        try self.execute(
            sql: """
                INSERT INTO account (kind, owner, imapHost, imapPort, imapTLS, smtpHost, smtpPort,
                smtpTLS, caFile, username) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                Account.Kind.imap.rawValue, owner, account.imap.host, account.imap.port,
                account.imap.tls.rawValue, account.smtp?.host, account.smtp?.port,
                account.smtp?.tls.rawValue, account.caFile,
                account.username ?? login.description,
            ]
        )
        try self.execute(
            sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
            arguments: [login.description, try self.insertedKey()]
        )
    }
}
