import Access
import Foundation
import GRDB
import Synchronization

/// A store's file that is replaced while a gateway has it open.
extension PermissionStore {
    /// The file in force.
    package var file: FileIdentity? { self.opened.withLock(\.files.database) }

    /// Compares device and inode of the files at the path with those that are open. Another database
    /// is checked, opened and put in the place of the one before.
    /// - Parameter known: what is in force.
    /// - Returns: what the new database says; nil where the open one is in place.
    /// - Throws: ``StoreRefusal`` where no file is there, or not one that may be in force.
    func adoptReplacement(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?
    ) throws -> StoreSnapshot? {
        guard FileIdentity(path: self.path) != nil else {
            throw StoreRefusal("there is no store at \(self.path): restore it from your backup")
        }
        guard access(self.path, R_OK | W_OK) == 0 else {
            throw StoreRefusal(
                "\(self.path) cannot be read and written by the gateway's user: check its owner"
            )
        }
        let opened = self.engine
        let files = StoreFiles(path: self.path)
        guard files != opened.files else {
            self.replacement.withLock { replacement in
                replacement.seen = []
                replacement.refusal = nil
            }
            return nil
        }
        // SQLite shares one index between all connections of a process to one database.
        guard files.database != opened.files.database else {
            if self.replacement.withLock(\.hasRetired) {
                try self.requireSettled()
                return try self.reopen(masterKey, after: known, opened: opened)
            }
            throw StoreRefusal(
                "a file of SQLite's beside \(self.path) was removed or replaced, and others may "
                    + "write by it: restart the gateway"
            )
        }
        try self.requireSettled()
        do {
            try self.requireFit(masterKey, after: known, opened: opened)
            self.retire(opened)
            let (next, published) = try self.openReplacement(
                masterKey,
                after: known,
                opened: opened
            )
            self.opened.withLock { $0 = next }
            self.replacement.withLock { $0 = Replacement() }
            return published
        } catch let error as StillChanging {
            throw error
        } catch {
            throw self.remembered(error, opened: opened)
        }
    }

    /// What is wrong with the file itself stays wrong until the file changes; what came in the way of
    /// looking at it, such as a lock or a lack of descriptors, may be gone at the next look.
    private func remembered(_ error: any Error, opened: SQLiteEngine) -> StoreRefusal {
        let codes: [ResultCode] = [.SQLITE_NOTADB, .SQLITE_CORRUPT]
        let isDamaged = (error as? DatabaseError).map { codes.contains($0.resultCode) } ?? false
        let refusal =
            error as? StoreRefusal
            ?? StoreRefusal("\(self.path) cannot be opened as a store: \(error)")
        guard isDamaged || error is StoreRefusal else { return refusal }
        self.replacement.withLock { $0.refusal = refusal }
        // Whoever looks into it must not read it together with what belongs to the other.
        self.retire(opened)
        return refusal
    }

    var stamps: [FileStamp] {
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
                // The files beside it may have been taken away; the file that waits is the same.
                if replacement.waiting?.file != FileIdentity(path: self.path) {
                    replacement.waiting = nil
                }
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
    private func retire(_ opened: SQLiteEngine) {
        self.replacement.withLock { $0.hasRetired = true }
        try? opened.database.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
        let identities = [opened.files.writeAheadLog, opened.files.sharedIndex]
        for (companion, identity) in zip(StoreFiles.companions, identities) {
            guard let identity, FileIdentity(path: self.path + companion) == identity else {
                continue
            }
            unlink(self.path + companion)
        }
    }

    /// Opens the file in force again, which was put back into its place after another one was there.
    private func reopen(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteEngine
    ) throws -> StoreSnapshot {
        // SQLite goes on with the files beside it that were taken away, as long as it is open.
        try? opened.database.close()
        let next = try SQLiteEngine.open(self.path, generation: opened.generation + 1)
        do {
            guard let file = next.files.database else { throw StillChanging() }
            let before = self.inForce.withLock { $0 }
            let (published, standing) = try next.read { database in
                try Self.requireOwn(database, masterKey: masterKey)
                let published = try database.published(generation: next.generation)
                if let known { try self.requireSameNumbers(published, as: known) }
                _ = try self.requireContinuation(
                    of: before,
                    file,
                    isSameFile: true,
                    masterKey: masterKey,
                    database: database
                )
                return (published, try StoreStanding(database))
            }
            self.opened.withLock { $0 = next }
            self.inForce.withLock { $0 = standing }
            self.replacement.withLock { $0 = Replacement() }
            return published
        } catch {
            try? next.database.close()
            throw error
        }
    }

    /// - Throws: why the database may not take the place of the one that is open.
    func readReplacement(
        _ database: StoreTransaction,
        file: FileIdentity,
        masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteEngine
    ) throws -> (StoreSnapshot, StoreStanding) {
        try Self.requireOwn(database, masterKey: masterKey)
        let published = try database.published(generation: opened.generation + 1)
        if let known { try self.requireSameNumbers(published, as: known) }
        _ = try self.requireContinuation(
            of: try self.lastStanding(opened, masterKey: masterKey),
            file,
            isSameFile: false,
            masterKey: masterKey,
            database: database
        )
        return (published, try StoreStanding(database))
    }

    /// Up to where the database came that was replaced. Nothing is written there any more.
    private func lastStanding(_ opened: SQLiteEngine, masterKey: MasterKey) throws -> StoreStanding?
    {
        guard let known = self.inForce.withLock({ $0 }) else { return nil }
        return try opened.read { database in
            let goesOn = try known.isContained(in: database, masterKey, mayHaveForgotten: true)
            return goesOn ? try StoreStanding(database) : known
        }
    }

    private func openReplacement(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteEngine
    ) throws -> (SQLiteEngine, StoreSnapshot) {
        let next = try SQLiteEngine.open(self.path, generation: opened.generation + 1)
        do {
            guard let file = next.files.database else { throw StillChanging() }
            let (published, standing) = try next.read { database in
                try self.readReplacement(
                    database,
                    file: file,
                    masterKey: masterKey,
                    after: known,
                    opened: opened
                )
            }
            try Self.carryJournal(from: opened.database, to: next.database)
            self.inForce.withLock { $0 = standing }
            return (next, published)
        } catch {
            try? next.database.close()
            throw error
        }
    }
}
