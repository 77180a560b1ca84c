import Access
import Foundation
import GRDB
import Synchronization

/// A store's file that is replaced while a gateway has it open.
extension PermissionStore {
    /// The file in force.
    package var file: FileIdentity? { self.opened.withLock(\.files.database) }

    /// An administrator confirms that the file at the path is to be in force, although its revision
    /// is older than the one that is.
    package func acceptOlder(revision: Int64) {
        self.replacement.withLock { replacement in
            replacement.acceptedRevision = revision
            replacement.refusal = nil
        }
    }

    /// Compares device and inode of the files at the path with those that are open. Another database
    /// is checked, opened and put in the place of the one before.
    /// - Parameter known: what is in force.
    /// - Returns: what the new database says; nil where the open one is in place.
    /// - Throws: ``StoreRefusal`` where no file is there, or not one that may be in force.
    func adoptReplacement(_ masterKey: MasterKey, after known: Published?) throws -> Published? {
        guard FileIdentity(path: self.path) != nil else {
            throw StoreRefusal("there is no store at \(self.path): restore it from your backup")
        }
        guard access(self.path, R_OK | W_OK) == 0 else {
            throw StoreRefusal(
                "\(self.path) cannot be read and written by the gateway's user: check its owner"
            )
        }
        let opened = self.opened.withLock { $0 }
        let files = StoreFiles(path: self.path)
        guard files != opened.files else {
            self.replacement.withLock { $0.seen = [] }
            return nil
        }
        // SQLite shares one index between all connections of a process to one database.
        guard files.database != opened.files.database else {
            throw StoreRefusal(
                "a file of SQLite's beside \(self.path) was removed or replaced, and others may "
                    + "write by it: restart the gateway"
            )
        }
        try self.requireSettled()
        self.retire(opened)
        do {
            let (next, published) = try self.openReplacement(masterKey, after: known, opened)
            self.opened.withLock { $0 = next }
            self.replacement.withLock { $0 = Replacement() }
            return published
        } catch {
            let refusal =
                error as? StoreRefusal
                ?? StoreRefusal("\(self.path) cannot be opened as a store: \(error)")
            let stamps = self.stamps
            self.replacement.withLock { replacement in
                replacement.seen = stamps
                replacement.refusal = refusal
            }
            throw refusal
        }
    }

    private var stamps: [FileStamp] {
        // The shared index is written by whoever only reads.
        ["", StoreFiles.companions[0]].map { FileStamp(path: self.path + $0) }
    }

    /// A file that is being written is not opened: SQLite would write into it, too.
    /// - Throws: where the files changed since the last look, or are those that were refused.
    private func requireSettled() throws {
        let stamps = self.stamps
        let isRefused = try self.replacement.withLock { replacement in
            guard replacement.seen == stamps else {
                replacement.seen = stamps
                replacement.refusal = nil
                throw StillChanging()
            }
            return replacement.refusal
        }
        if let isRefused { throw isRefused }
    }

    /// The file is looked at again.
    struct StillChanging: Error, CustomStringConvertible {
        var description: String { "the store's file is being exchanged" }
    }

    /// Brings the write-ahead log of the database that was replaced into it, and takes it out of the
    /// way: SQLite would take it for that of the new database. Nothing is written there any more, and
    /// who still reads there closes it.
    private func retire(_ opened: Opened) {
        try? opened.database.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
        let identities = [opened.files.writeAheadLog, opened.files.sharedIndex]
        for (companion, identity) in zip(StoreFiles.companions, identities) {
            guard let identity, FileIdentity(path: self.path + companion) == identity else {
                continue
            }
            unlink(self.path + companion)
        }
    }

    private func openReplacement(
        _ masterKey: MasterKey,
        after known: Published?,
        _ opened: Opened
    ) throws -> (Opened, Published) {
        let next = try Self.open(self.path, generation: opened.generation + 1)
        do {
            let published = try next.database.read { database in
                try Self.requireOwn(database, masterKey)
                return try Self.published(database, generation: next.generation)
            }
            if let known { try self.requireSuccessor(published, of: known) }
            return (next, published)
        } catch {
            try? next.database.close()
            throw error
        }
    }

    /// - Throws: where the database has other tables than this version, or was not sealed with this
    ///   master key.
    private static func requireOwn(_ database: Database, _ masterKey: MasterKey) throws {
        guard try !Schema.migrator.hasBeenSuperseded(database) else {
            throw StoreRefusal("it is the store of a newer version of gatepost: update the gateway")
        }
        guard try Schema.migrator.hasCompletedMigrations(database) else {
            throw StoreRefusal(
                "it is no store, or one of an older version: gatepost user list brings such a one "
                    + "up to date"
            )
        }
        guard let seal = try AuditSeal.fetch(.checkpoint, database), seal.isAuthentic(masterKey)
        else {
            throw StoreRefusal(
                "it was not sealed with this master key: put the store and the master key of one "
                    + "installation in place, or say gatepost audit seal"
            )
        }
    }

    /// - Throws: where the database is older than what is in force, or a number in it means somebody
    ///   else: sessions know users and accounts by their numbers.
    private func requireSuccessor(_ next: Published, of known: Published) throws {
        guard next.agrees(with: known) else {
            throw StoreRefusal(
                "it is another installation's store, or has gone another way since it was copied: "
                    + "restart the gateway to use it"
            )
        }
        try self.requireNotOlder(next.access.revision, than: known.access.revision)
    }

    /// - Throws: ``StoreRefusal`` for an older revision that no administrator confirmed.
    func requireNotOlder(_ revision: Int64, than known: Int64) throws {
        guard revision < known else { return }
        guard self.replacement.withLock({ $0.acceptedRevision }) == revision else {
            throw StoreRefusal(
                "its revision \(revision) is older than \(known), which is in force: what was taken "
                    + "away since then would be granted again; gatepost store accept",
                olderRevision: revision
            )
        }
    }

    /// What is published from now on comes after what was published before, whatever its revision.
    func beginGeneration() {
        self.opened.withLock { opened in
            opened = Opened(
                database: opened.database,
                files: opened.files,
                generation: opened.generation + 1
            )
        }
        self.replacement.withLock { $0 = Replacement() }
    }
}

extension Published {
    /// Whether each number that both know means the same user with the same password, and the same
    /// account with the same credential.
    fileprivate func agrees(with known: Published) -> Bool {
        let users = self.access.users.allSatisfy { id, user in
            known.access.users[id].map { $0.login == user.login } ?? true
        }
        let passwords = self.passwords.allSatisfy { id, password in
            guard let other = known.passwords[id], other.version == password.version else {
                return true
            }
            return other.hash == password.hash
        }
        let accounts = self.endpoints.allSatisfy { id, account in
            guard let other = known.endpoints[id] else { return true }
            guard other.credentialVersion == account.credentialVersion else {
                return other.hasAddress(of: account)
            }
            return other.hasAddress(of: account) && other.sealedPassword == account.sealedPassword
        }
        return users && passwords && accounts
    }
}

extension UpstreamAccount {
    fileprivate func hasAddress(of other: UpstreamAccount) -> Bool {
        ExactText(self.address) == ExactText(other.address)
    }
}
