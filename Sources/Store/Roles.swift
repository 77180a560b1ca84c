import Access
import Foundation

/// What somebody may change.
package enum Role: String, Sendable, CaseIterable {
    /// Everything.
    case administrator
    /// Accounts, grants, walls, imports and consent, not who logs in and who may change what.
    case settings
}

/// The operating-system user who runs a command.
package struct Actor: Equatable, Sendable {
    package var name: String
    package var userID: UInt32
    /// Who became that user by sudo.
    package var original: String?

    package init(name: String, userID: UInt32, original: String? = nil) {
        self.name = name
        self.userID = userID
        self.original = original
    }

    /// The name that is recorded: who it was, and as whom.
    package var recorded: String {
        self.original.map { "\($0) as \(self.name)" } ?? self.name
    }
}

extension PermissionStore {
    /// Whether an operating-system user may do what needs a role: root may, and the store's owner,
    /// unless somebody else became it by sudo; everybody else needs the role.
    package func requireRole(_ needed: Role, actor: Actor) throws {
        if actor.userID == 0 { return }
        let attributes = try? FileManager.default.attributesOfItem(atPath: self.path)
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
        // Whoever may not even write it is refused all the same.
        try? self.audit([(.current, record)])
        throw StoreError.refused(refusal)
    }

    private func role(ofOSUser name: String) throws -> Role? {
        try self.read { transaction in
            try transaction.value(
                of: String.self,
                sql: "SELECT role FROM user WHERE osUser = ? AND disabled = 0",
                arguments: [name]
            ).flatMap(Role.init)
        }
    }

    /// The user of the gateway who is an operating-system user.
    package func login(ofOSUser name: String) throws -> String? {
        try self.read { transaction in
            try transaction.value(
                of: String.self,
                sql: "SELECT login FROM user WHERE osUser = ? AND disabled = 0",
                arguments: [name]
            )
        }
    }

    /// Gives a user a role, or takes it away, and says who that is at the operating system.
    /// - Parameter osUser: nil leaves it as it is; for somebody with a role it is the login then,
    ///   where none was set.
    package func setRole(
        _ role: Role?,
        osUser: String?,
        of login: String,
        actor: String
    ) throws {
        let what =
            "user set \(login) role \(role?.rawValue ?? "none")"
            + (osUser.map { " os-user \($0)" } ?? "")
        try self.edit(Edit(actor: actor, what)) { transaction in
            let id = try transaction.userID(login: login)
            try transaction.setRole(role, osUser: osUser, of: id)
        }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    static func names(_ needed: Role) -> String {
        needed == .administrator ? "administrator" : "administrator or settings"
    }

    /// Takes the name at the operating system away.
    private static let noOSUser = "none"

    func setRole(
        _ role: Role?,
        osUser: String?,
        of user: Int64
    ) throws {
        if let osUser, osUser != Self.noOSUser {
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
            sql: """
                UPDATE user SET role = :role,
                osUser = CASE WHEN :isNone THEN NULL ELSE
                    coalesce(:osUser, osUser, CASE WHEN :role IS NULL THEN NULL ELSE login END)
                END WHERE id = :user
                """,
            arguments: [
                "role": role?.rawValue, "osUser": osUser, "user": user,
                "isNone": osUser == Self.noOSUser,
            ]
        )
    }
}
