import Access
import Foundation

/// A user as somebody adds it.
package struct NewUser: Sendable {
    package var login: String
    package var name: String?
    /// `administrator`, `settings`, or nil.
    package var role: String?
    /// Who the user is at the operating system; nil for the login, where there is a role.
    package var osUser: String?
    /// Nil for somebody who cannot log in yet.
    package var password: String?

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

/// Users, their passwords, and their end.
extension PermissionStore {
    /// Adds a user who logs in to the gateway.
    package func addUser(_ user: NewUser, actor: String) throws {
        let address = try StoreTransaction.login(user.login)
        let hash = try user.password.map { try PasswordHash(password: Array($0.utf8)).text }
        let what =
            "user add \(address)" + (user.role.map { " role \($0)" } ?? "")
            + (user.osUser.map { " os-user \($0)" } ?? "")
        try self.edit(Edit(actor: actor, what)) { transaction in
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
                of: transaction.insertedKey
            )
        }
    }

    package func users() throws -> [UserRow] {
        try self.read { transaction in
            try UserRow.fetch(transaction, sql: "SELECT * FROM user ORDER BY login", arguments: [])
        }
    }

    package func user(_ login: String) throws -> UserRow {
        try self.read { transaction in
            let id = try transaction.userID(login: login)
            let rows = try UserRow.fetch(
                transaction,
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

    /// Removes a user with the grants it has; accounts it owned have no owner then.
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

    private func change(
        _ login: String,
        what: String,
        actor: String,
        removesSecrets: Bool = false,
        body: (StoreTransaction, Int64) throws -> Void
    ) throws {
        try self.edit(Edit(actor: actor, "user \(what) \(login)", removesSecrets: removesSecrets)) {
            transaction in
            try body(transaction, try transaction.userID(login: login))
        }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    /// A login; no word that means others than one user.
    static func login(_ text: String) throws -> Address {
        let address = try PermissionStore.address(text)
        guard address.description != "anyone", !address.description.hasPrefix("group:") else {
            throw StoreError.refused("\(address) means others than one user: choose another login")
        }
        return address
    }

    /// What keeps somebody out stays until somebody ends it, and does not go with whom it names.
    /// - Parameter name: of the subject, in the text of the refusal.
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
