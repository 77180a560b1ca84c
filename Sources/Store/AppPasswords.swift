package import Access
import Foundation

/// App passwords of users: one edit, and one audit record, for each change.
extension PermissionStore {
    /// App passwords of one user. More could only be forgotten ones.
    package static let maximumAppPasswords = 50
    /// Characters of the name of an app password.
    private static let maximumNameLength = 100
    /// Seconds between two records of the use of an app password.
    private static let useInterval: Int64 = 3_600

    /// Makes an app password. It can be read only now: the store has its digest.
    /// - Parameters:
    ///   - name: The program or device, for the user and the administrator.
    ///   - actor: The recorded name of who makes it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` for an unknown login, an unusable or taken name, a time that has
    ///   passed, and too many app passwords.
    package func addAppPassword(
        _ name: String,
        of login: String,
        expires: Moment?,
        actor: String
    ) throws -> AppPassword {
        guard name.contains(where: { !$0.isWhitespace }), name.count <= Self.maximumNameLength,
            name.utf8.count <= 4 * Self.maximumNameLength,
            name.unicodeScalars.allSatisfy({ scalar in
                ![.control, .format, .lineSeparator, .paragraphSeparator, .unassigned]
                    .contains(scalar.properties.generalCategory)
            })
        else {
            throw StoreError.refused(
                "the name has to be one line of 1 to \(Self.maximumNameLength) characters"
            )
        }
        if let expires, expires <= .current {
            throw StoreError.refused("the app password would have expired already")
        }
        let password = AppPassword()
        let what = "user app-password add \(login) name \(name)"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            let user = try transaction.userID(login: login)
            let names = try transaction.rows(
                sql: "SELECT name FROM appPassword WHERE user = ?",
                arguments: [user]
            ).map { $0["name"] as String }
            guard !names.contains(name) else {
                throw StoreError.refused(
                    "\(login) has an app password \(name): choose another name, or revoke it first"
                )
            }
            guard names.count < Self.maximumAppPasswords else {
                throw StoreError.refused(
                    "\(login) has \(names.count) app passwords: revoke those that are not used"
                )
            }
            try transaction.execute(
                sql: """
                    INSERT INTO appPassword (user, name, digest, created, expires)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    user, name, Data(password.digest), Moment.current.seconds, expires?.seconds,
                ]
            )
        }
        return password
    }

    /// The app passwords of a user, sorted by name.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login.
    package func appPasswords(of login: String) throws -> [AppPasswordRow] {
        try self.read { transaction in
            try transaction.rows(
                sql: """
                    SELECT name, created, moment, expires FROM appPassword
                    LEFT JOIN appPasswordUse ON appPasswordUse.appPassword = appPassword.id
                    WHERE user = ? ORDER BY name
                    """,
                arguments: [try transaction.userID(login: login)]
            ).map {
                AppPasswordRow(
                    name: $0["name"],
                    created: $0["created"],
                    used: $0["moment"],
                    expires: $0["expires"]
                )
            }
        }
    }

    /// Removes an app password. Its sessions end.
    /// - Parameter actor: The recorded name of who does it; see ``Actor/recorded``.
    /// - Throws: ``StoreError`` of kind `notFound` for an unknown login or name.
    package func revokeAppPassword(_ name: String, of login: String, actor: String) throws {
        let what = "user app-password revoke \(login) name \(name)"
        try self.edit(Edit(actor: actor, action: what)) { transaction in
            try transaction.execute(
                sql: "DELETE FROM appPassword WHERE user = ? AND name = ?",
                arguments: [try transaction.userID(login: login), name]
            )
            guard transaction.changedRows > 0 else {
                throw StoreError.notFound(
                    "\(login) has no app password \(name): gatepost user app-password list \(login)"
                )
            }
        }
    }

    /// Records that an app password was used, once an hour at most. The revision stays as it is, and
    /// the audit log gets no record.
    package func appPasswordUsed(_ id: AppPasswordID, at now: Moment) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.execute(
                sql: """
                    INSERT INTO appPasswordUse (appPassword, moment)
                    SELECT id, ? FROM appPassword WHERE id = ?
                    ON CONFLICT (appPassword) DO UPDATE SET moment = excluded.moment
                    WHERE appPasswordUse.moment <= excluded.moment - ?
                    """,
                arguments: [now.seconds, id.rawValue, Self.useInterval]
            )
        }
    }
}

extension StoreTransaction {
    /// The app passwords of users, each list in the order of creation.
    /// - Parameter filter: A condition on the table `appPassword`.
    func appPasswordRecords(
        where filter: RowFilter = .all
    ) throws -> [UserID: [AppPasswordRecord]] {
        var records: [UserID: [AppPasswordRecord]] = [:]
        try filter.forEach(
            self,
            of: "SELECT user, id, digest, expires FROM appPassword",
            order: "ORDER BY id"
        ) { row in
            records[UserID(row[0]), default: []].append(
                AppPasswordRecord(
                    id: AppPasswordID(row[1]),
                    digest: Array(row[2] as Data),
                    expires: (row[3] as Int64?).map(Moment.init(seconds:))
                )
            )
        }
        return records
    }
}
