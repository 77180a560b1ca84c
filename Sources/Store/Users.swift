import Access
import Foundation

/// The values of a user to add.
package struct NewUser: Sendable {
    /// The login, not yet checked.
    package var login: String
    /// The display name.
    package var name: String?
    /// `administrator`, `settings`, or nil; any other text counts as nil.
    package var role: String?
    /// The operating-system user; nil is the login for a user with a role, and none for a user
    /// without.
    package var osUser: String?
    /// The password in clear; nil for a user who cannot log in yet.
    package var password: String?

    /// Creates the values without checking them.
    package init(
        _ login: String,
        name: String? = nil,
        role: String? = nil,
        osUser: String? = nil,
        password: String? = nil
    ) {
        self.login = login
        self.name = name
        self.role = role
        self.osUser = osUser
        self.password = password
    }
}

/// Users and their passwords: one edit, and one audit record, for each change.
extension PermissionStore {
    /// Adds a user who logs in to the gateway. The password is hashed before the transaction
    /// begins, because that takes about 0.1 seconds.
    /// - Parameter actor: The recorded name of who adds the user; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an invalid login, a login that exists, and an
    ///   operating-system user who belongs to another user.
    package func addUser(_ user: NewUser, actor: String) throws {
        let address = try StoreTransaction.login(user.login)
        let hash = try user.password.map { try PasswordHash(password: Array($0.utf8)).text }
        let what =
            "user add \(address)" + (user.role.map { " role \($0)" } ?? "")
            + (user.osUser.map { " os-user \($0)" } ?? "")
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let exists = try transaction.value(
                of: Bool.self,
                sql: "SELECT EXISTS (SELECT 1 FROM user WHERE login = ?)",
                arguments: [address.description]
            )
            guard exists != true else {
                throw StoreError.refused("user \(address) exists: gatepost user show \(address)")
            }
            try transaction.execute(
                sql: """
                    INSERT INTO user (login, name, password, passwordVersion) VALUES (?, ?, ?, 1)
                    """,
                arguments: [address.description, user.name, hash]
            )
            try transaction.setRole(
                user.role.flatMap(Role.init),
                osUser: user.osUser,
                of: try transaction.insertedKey()
            )
        }
    }

    /// All users, sorted by login.
    package func users() throws -> [UserRow] {
        try self.read { try $0.userRows() }
    }

    /// One user.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login.
    package func user(_ login: String) throws -> UserRow {
        try self.read { transaction in
            let id = try transaction.userID(login: login)
            let rows = try transaction.userRows(where: RowFilter("id", in: [id]))
            guard let row = rows.first else { throw StoreError.notFound("no user \(login)") }
            return row
        }
    }

    /// Sets a user's password. Sessions that logged in with the old one end, and its hash is
    /// cleared from the store's files.
    /// - Parameters:
    ///   - password: In clear; only its hash is stored.
    ///   - actor: The recorded name of who sets it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an empty password, and for an unknown login.
    package func setPassword(_ password: String, of login: String, actor: String) throws {
        guard !password.isEmpty else { throw StoreError.refused("the password is empty") }
        let hash = try PasswordHash(password: Array(password.utf8)).text
        try self.change(login, what: "password", actor: actor, removesSecrets: true) {
            transaction,
            id in
            try transaction.execute(
                sql: """
                    UPDATE user SET password = ?, passwordVersion = passwordVersion + 1
                    WHERE id = ?
                    """,
                arguments: [hash, id]
            )
        }
    }

    /// Disables or enables a user. A disabled user keeps all grants and cannot use them.
    /// - Parameter actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login.
    package func setDisabled(_ isDisabled: Bool, login: String, actor: String) throws {
        try self.change(login, what: isDisabled ? "disable" : "enable", actor: actor) {
            transaction,
            id in
            try transaction.execute(
                sql: "UPDATE user SET disabled = ? WHERE id = ?",
                arguments: [isDisabled, id]
            )
        }
    }

    /// Removes a user with the grants to the user. The password hash is cleared from the
    /// store's files.
    /// - Parameter actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown login, for a user who owns an account, and for
    ///   one whom a withdrawal or a wall keeps out of an account: a user added again would get
    ///   in.
    package func removeUser(_ login: String, actor: String) throws {
        try self.change(login, what: "remove", actor: actor, removesSecrets: true) {
            transaction,
            id in
            let user = Subject.user(UserID(id))
            let rules = try transaction.rules(keepingOut: user)
            try StoreTransaction.decide(.removal(rules, isUser: true), subject: login) {
                () throws(EditRefusal) in
                try rules.requireRemovable(user)
            }
            try transaction.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
        }
    }

    /// One edit of an existing user.
    /// - Parameters:
    ///   - what: The command, for the audit log.
    ///   - removesSecrets: Whether the edit removes a password.
    ///   - body: The change; receives the key of the user's row.
    private func change(
        _ login: String,
        what: String,
        actor: String,
        removesSecrets: Bool = false,
        body: (StoreTransaction, Int64) throws -> Void
    ) throws {
        try self.edit(
            Edit(actor: actor, action: "user \(what) \(login)", removesSecrets: removesSecrets)
        ) {
            transaction in
            try body(transaction, try transaction.userID(login: login))
        }
    }
}

/// Logins, and the removal of users, inside a transaction.
extension StoreTransaction {
    /// Parses a login.
    /// - Throws: ``StoreError`` for an invalid login, for `anyone`, and for a text that begins
    ///   with `group:`, both of which denote other subjects in grants and ACLs.
    static func login(_ text: String) throws -> Address {
        let address = try PermissionStore.address(text)
        guard address.description != "anyone", !address.description.hasPrefix("group:") else {
            throw StoreError.refused(
                "\(address) is reserved for groups and for everyone: choose another login"
            )
        }
        return address
    }

    /// - Parameter name: The subject's name, for the error message.
    /// - Throws: ``StoreError`` if a withdrawal or a wall keeps the subject out of an account.
    ///   The removal of the subject would delete that rule, which only an explicit edit may
    ///   end.
    func requireNotKeptOut(
        _ subject: Subject,
        name: String
    ) throws {
        let rules = try self.rules(keepingOut: subject)
        try Self.decide(.removal(rules, isUser: subject.userKey != nil), subject: name) {
            () throws(EditRefusal) in
            try rules.requireNotKeptOut(subject)
        }
    }
}
