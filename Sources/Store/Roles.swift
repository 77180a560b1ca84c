import Access
import Foundation

/// What an operating-system user may change with `gatepost`.
package enum Role: String, Sendable, CaseIterable {
    /// Everything.
    case administrator
    /// Accounts, grants, walls, imports and consent, but neither users nor roles.
    case settings
}

/// Roles of operating-system users.
extension PermissionStore {
    /// Requires a role. Root passes, and so does the owner of the store's file, or of the node's folder, unless somebody
    /// became that owner through sudo. Everybody else needs the role, under the original name.
    /// - Throws: ``StoreError`` of kind `refused`, which is recorded in the audit log.
    package func requireRole(_ needed: Role, actor: Actor) throws {
        if actor.userID == 0 { return }
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: self.location.ownedPath
        )
        let owner = (attributes?[.ownerAccountID] as? NSNumber)?.uint32Value
        if owner == actor.userID, actor.original == nil { return }
        let name = actor.original ?? actor.name
        let refusal: String
        switch try self.role(ofOSUser: name) {
        case .administrator: return
        case .settings where needed == .settings: return
        case .settings:
            refusal = "\(name) has the role settings: this needs administrator"
        case nil:
            refusal =
                "\(name) may not change anything: this needs the role \(StoreTransaction.names(needed))"
        }
        var record = AuditRecord(
            event: "change",
            outcome: .refused,
            actor: actor.recorded,
            from: "command line"
        )
        record.because = ["no role that is enough"]
        // The refusal stands even if this process cannot write the audit record.
        try? self.audit([(.current, record)])
        throw StoreError.refused(refusal)
    }

    /// The role of an operating-system user; nil if no enabled user has that name.
    private func role(ofOSUser name: String) throws -> Role? {
        try self.read { transaction in
            try transaction.value(
                of: String.self,
                sql: "SELECT role FROM user WHERE osUser = ? AND disabled = 0",
                arguments: [name]
            ).flatMap(Role.init)
        }
    }

    /// The gateway user who is an operating-system user; nil if there is none, or the user is
    /// disabled.
    package func login(ofOSUser name: String) throws -> String? {
        try self.read { transaction in
            try transaction.value(
                of: String.self,
                sql: "SELECT login FROM user WHERE osUser = ? AND disabled = 0",
                arguments: [name]
            )
        }
    }

    /// Sets or removes a user's role and operating-system name.
    /// - Parameters:
    ///   - role: Nil removes the role.
    ///   - osUser: `none` removes the name. Nil keeps it; a user who gets a role and has no
    ///     name gets the login as the name.
    /// - Throws: ``StoreError`` for an unknown login, an empty name, and a name that belongs to
    ///   another user.
    package func setRole(
        _ role: Role?,
        osUser: String?,
        of login: String,
        actor: String
    ) throws {
        let what =
            "user set \(login) role \(role?.rawValue ?? "none")"
            + (osUser.map { " os-user \($0)" } ?? "")
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let id = try transaction.userID(login: login)
            try transaction.setRole(role, osUser: osUser, of: id)
        }
    }
}

/// Roles inside a transaction.
extension StoreTransaction {
    /// The roles that satisfy a requirement, for the error message.
    static func names(_ needed: Role) -> String {
        needed == .administrator ? "administrator" : "administrator or settings"
    }

    /// The word that removes the operating-system name.
    static let noOSUser = "none"

    /// Writes a user's role and operating-system name.
    /// - Parameter user: The key of the user's row.
    /// - Throws: ``StoreError`` for an empty name, and for a name that belongs to another user.
    func setRole(
        _ role: Role?,
        osUser: String?,
        of user: Int64
    ) throws {
        guard osUser != Self.noOSUser else {
            return try self.writeRole(role, osUser: nil, of: user)
        }
        let present = try self.row(
            sql: "SELECT login, osUser FROM user WHERE id = ?",
            arguments: [user]
        )
        // Who has a role has a name at the operating system: the login unless there is another.
        let usual = role == nil ? nil : present?["login"] as String?
        try self.writeRole(
            role,
            osUser: osUser ?? present?["osUser"] as String? ?? usual,
            of: user
        )
    }

    /// Writes a user's role, and exactly this operating-system name.
    /// - Parameters:
    ///   - osUser: Nil for none.
    ///   - user: The key of the user's row.
    /// - Throws: ``StoreError`` for an empty name, and for a name that belongs to another user.
    func writeRole(_ role: Role?, osUser: String?, of user: Int64) throws {
        if let osUser {
            guard !osUser.isEmpty else { throw StoreError.refused("--os-user NAME, or none") }
            let other = try self.value(
                of: String.self,
                sql: "SELECT login FROM user WHERE osUser = ? AND id <> ?",
                arguments: [osUser, user]
            )
            if let other {
                throw StoreError.refused("the operating-system user \(osUser) is \(other) already")
            }
        }
        try self.execute(
            sql: "UPDATE user SET role = ?, osUser = ? WHERE id = ?",
            arguments: [role?.rawValue, osUser, user]
        )
    }
}
