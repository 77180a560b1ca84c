import Access
import Foundation
import GRDB

/// The checks of a file before it takes the place of the store.
extension SQLiteEngine {
    /// Checks the file without opening it for writing, without a lock, and without SQLite's
    /// other files: until the file is accepted, these belong to the database in force.
    /// - Throws: ``StoreRefusal`` if the file must not be used, ``StillChanging`` if it changed
    ///   during the check.
    func requireFit(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteDatabase
    ) throws {
        let stamps = self.stamps
        guard let file = FileIdentity(path: self.path) else { throw StillChanging() }
        let name = self.path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(
            path: "file:\(name ?? self.path)?immutable=1",
            configuration: configuration
        )
        let result = Result {
            try queue.read { database in
                _ = try self.readReplacement(
                    StoreTransaction(database),
                    file: file,
                    masterKey: masterKey,
                    after: known,
                    opened: opened
                )
            }
        }
        try? queue.close()
        guard self.stamps == stamps else { throw StillChanging() }
        try result.get()
    }

    /// - Throws: ``StoreRefusal`` if the database has the tables of another version, or its
    ///   audit log was not sealed with this master key.
    static func requireOwn(_ database: StoreTransaction, masterKey: MasterKey) throws {
        guard let file = (database.connection as? SQLiteConnection)?.database,
            try !Schema.migrator.hasBeenSuperseded(file)
        else {
            throw StoreRefusal("it is the store of a newer version of gatepost: update the gateway")
        }
        guard try Schema.migrator.hasCompletedMigrations(file) else {
            throw StoreRefusal(
                "it is not a store, or it is one of an older version: gatepost user list updates "
                    + "such a store"
            )
        }
        guard let seal = try AuditSeal.fetch(.checkpoint, transaction: database),
            seal.isAuthentic(masterKey)
        else {
            throw StoreRefusal(
                "it was not sealed with this master key: put the store and the master key of one "
                    + "installation in place, or run gatepost audit seal"
            )
        }
    }

    /// - Throws: ``StoreRefusal`` if a number denotes another user or account than before.
    ///   Sessions identify users and accounts by number, so they would continue with the rights
    ///   of somebody else.
    func requireSameNumbers(_ next: StoreSnapshot, as known: StoreSnapshot) throws {
        guard next.agrees(with: known) else {
            throw StoreRefusal(
                "it is another installation's store, or a copy that was edited separately: restart "
                    + "the gateway to use it"
            )
        }
    }
}

/// Comparison of numbers.
extension StoreSnapshot {
    /// Whether each number in both snapshots denotes the same user with the same password, and
    /// the same account with the same credential.
    fileprivate func agrees(with known: StoreSnapshot) -> Bool {
        let users = self.access.users.values.allSatisfy { user in
            known.access.users[user.id].map { $0.login == user.login } ?? true
        }
        let passwords = self.passwords.keys.allSatisfy { id in
            guard let password = self.passwords[id] else { return true }
            guard let other = known.passwords[id], other.version == password.version else {
                return true
            }
            return other.hash == password.hash
        }
        let accounts = self.endpoints.values.allSatisfy { account in
            guard let other = known.endpoints[account.id] else { return true }
            guard other.credentialVersion == account.credentialVersion else {
                return other.hasAddress(of: account)
            }
            return other.hasAddress(of: account) && other.sealedPassword == account.sealedPassword
        }
        return users && passwords && accounts
    }
}

/// Comparison of addresses.
extension UpstreamAccount {
    /// Compares the primary addresses octet for octet.
    fileprivate func hasAddress(of other: UpstreamAccount) -> Bool {
        ExactText(self.address) == ExactText(other.address)
    }
}
