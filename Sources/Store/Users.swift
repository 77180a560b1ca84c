import Access
import Foundation
import GRDB

extension PermissionStore {
    // MARK: - Users

    package func addUser(
        _ login: String,
        name: String?,
        role: String?,
        osUser: String? = nil,
        password: String?,
        actor: String
    ) throws {
        let address = try Self.login(login)
        let hash = try password.map { try PasswordHash(password: Array($0.utf8)).text }
        let what =
            "user add \(address)" + (role.map { " role \($0)" } ?? "")
            + (osUser.map { " os-user \($0)" } ?? "")
        try self.edit(actor: actor, what) { database in
            let exists = try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM user WHERE login = ?)",
                arguments: [address.description]
            )
            guard exists != true else {
                throw StoreError.refused("user \(address) exists: gatepost user show \(address)")
            }
            try database.execute(
                sql: """
                    INSERT INTO user (login, name, password, passwordVersion) VALUES (?, ?, ?, 1)
                    """,
                arguments: [address.description, name, hash]
            )
            let id = database.lastInsertedRowID
            try Self.setRole(role.flatMap(Role.init), osUser: osUser, of: id, database: database)
        }
    }

    package func users() throws -> [UserRow] {
        try self.read { database in
            try UserRow.fetch(database, sql: "SELECT * FROM user ORDER BY login", arguments: [])
        }
    }

    package func user(_ login: String) throws -> UserRow {
        try self.read { database in
            let id = try Self.userID(database, login: login)
            let rows = try UserRow.fetch(
                database,
                sql: "SELECT * FROM user WHERE id = ?",
                arguments: [id]
            )
            guard let row = rows.first else { throw StoreError.notFound("no user \(login)") }
            return row
        }
    }

    package func setPassword(_ password: String, of login: String, actor: String) throws {
        guard !password.isEmpty else { throw StoreError.refused("the password is empty") }
        let hash = try PasswordHash(password: Array(password.utf8)).text
        try self.change(login, what: "password", actor: actor, removesSecrets: true) {
            database,
            id in
            try database.execute(
                sql: """
                    UPDATE user SET password = ?, passwordVersion = passwordVersion + 1
                    WHERE id = ?
                    """,
                arguments: [hash, id]
            )
        }
    }

    package func setDisabled(_ isDisabled: Bool, login: String, actor: String) throws {
        try self.change(login, what: isDisabled ? "disable" : "enable", actor: actor) {
            database,
            id in
            try database.execute(
                sql: "UPDATE user SET disabled = ? WHERE id = ?",
                arguments: [isDisabled, id]
            )
        }
    }

    /// Removes a user with the grants it has; accounts it owned have no owner then.
    package func removeUser(_ login: String, actor: String) throws {
        try self.change(login, what: "remove", actor: actor, removesSecrets: true) { database, id in
            let owned = try String.fetchAll(
                database,
                sql: """
                    SELECT address FROM address JOIN account ON account.id = address.account
                    WHERE isPrimary = 1 AND owner = ?
                    """,
                arguments: [id]
            )
            guard owned.isEmpty else {
                throw StoreError.refused(
                    "\(login) owns \(owned.joined(separator: ", ")): give each another owner with "
                        + "gatepost account set, or remove it"
                )
            }
            try Self.requireNoBar(of: "user", id, subject: login, database: database)
            try database.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
        }
    }

    /// A login; no word that means others than one user.
    static func login(_ text: String) throws -> Address {
        let address = try self.address(text)
        guard address.description != "anyone", !address.description.hasPrefix("group:") else {
            throw StoreError.refused("\(address) means others than one user: choose another login")
        }
        return address
    }

    /// What keeps somebody out stays until somebody ends it, and does not go with whom it names.
    static func requireNoBar(
        of column: String,
        _ id: Int64,
        subject: String,
        database: Database
    ) throws {
        let barred = try String.fetchAll(
            database,
            sql: """
                SELECT DISTINCT address FROM address JOIN (
                    SELECT account, "\(column)" AS subject FROM withdrawal WHERE source = 'local'
                    UNION SELECT account, "\(column)" FROM wall
                ) AS bar ON bar.account = address.account
                WHERE isPrimary = 1 AND subject = ? ORDER BY address
                """,
            arguments: [id]
        )
        guard barred.isEmpty else {
            throw StoreError.refused(
                "\(subject) is kept out of \(barred.joined(separator: ", ")), which would be "
                    + "forgotten: gatepost grant restore, or wall remove, ACCOUNT \(subject) first"
                    + (column == "user" ? ", or gatepost user disable \(subject)" : "")
            )
        }
    }

    private func change(
        _ login: String,
        what: String,
        actor: String,
        removesSecrets: Bool = false,
        body: (Database, Int64) throws -> Void
    ) throws {
        try self.edit(actor: actor, "user \(what) \(login)", removesSecrets: removesSecrets) {
            database in
            try body(database, try Self.userID(database, login: login))
        }
    }
}
