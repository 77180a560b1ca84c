import Access
import Foundation
import GRDB
import Synchronization

/// Replacement of the store's file while a gateway has it open.
extension SQLiteEngine {
    /// The identity of the open file.
    var identity: FileIdentity? { self.opened.withLock(\.files.database) }

    /// Compares the files at the path with the open ones. Another database is checked, opened
    /// and used in place of the open one.
    /// - Parameter known: The snapshot in force.
    /// - Returns: The snapshot of the new database; nil if the open files are in place.
    /// - Throws: ``StoreRefusal`` if there is no file, or one that must not be used;
    ///   ``StillChanging`` if it is to be looked at again.
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
        let opened = self.current
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
                "the write-ahead log or shared index of \(self.path) was removed or replaced, so "
                    + "other processes may not see its writes: restart the gateway"
            )
        }
        try self.requireSettled()
        do {
            try self.requireFit(masterKey, after: known, opened: opened)
            self.retire(opened)
            let (next, snapshot) = try self.openReplacement(
                masterKey,
                after: known,
                opened: opened
            )
            self.opened.withLock { $0 = next }
            self.replacement.withLock { $0 = Replacement() }
            return snapshot
        } catch let error as StillChanging {
            throw error
        } catch {
            throw self.remembered(error, opened: opened)
        }
    }

    /// Decides whether a failure is final. A defect of the file itself stays until the file
    /// changes. Another failure, such as a lock or a lack of file descriptors, may be gone at
    /// the next look.
    private func remembered(_ error: any Error, opened: SQLiteDatabase) -> StoreRefusal {
        let codes: [ResultCode] = [.SQLITE_NOTADB, .SQLITE_CORRUPT]
        let isDamaged = (error as? DatabaseError).map { codes.contains($0.resultCode) } ?? false
        let refusal =
            error as? StoreRefusal
            ?? StoreRefusal("\(self.path) cannot be opened as a store: \(error)")
        guard isDamaged || error is StoreRefusal else { return refusal }
        self.replacement.withLock { $0.refusal = refusal }
        // A reader of the refused file must not apply the open database's write-ahead log to
        // it.
        self.retire(opened)
        return refusal
    }

    /// The stamps of the database and its write-ahead log.
    var stamps: [FileStamp] {
        // The shared index is left out: readers write it, too.
        ["", StoreFiles.companions[0]].map { FileStamp(path: self.path + $0) }
    }

    /// Requires that the files did not change since the last look. A file that is still being
    /// written is not opened, because SQLite would write to it.
    /// - Throws: ``StillChanging`` if the files changed, or the refusal of these files.
    private func requireSettled() throws {
        let stamps = self.stamps
        let isRefused = try self.replacement.withLock { replacement in
            guard replacement.seen == stamps else {
                replacement.seen = stamps
                replacement.refusal = nil
                // Only the other files may have been removed; then the same database still
                // waits.
                if replacement.waiting?.file != FileIdentity(path: self.path) {
                    replacement.waiting = nil
                }
                throw StillChanging()
            }
            return replacement.refusal
        }
        if let isRefused { throw isRefused }
    }

    /// The files changed during the check; the next look decides.
    struct StillChanging: Error, CustomStringConvertible {
        /// The message that a gateway logs if the files keep changing.
        var description: String { "the store's file is being replaced" }
    }

    /// Checkpoints the replaced database and removes its write-ahead log and shared index,
    /// which SQLite would otherwise apply to the new database. Nothing is written to the
    /// replaced database any more; its readers close it.
    private func retire(_ opened: SQLiteDatabase) {
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

    /// Opens the file in force again after another file was at its path for a while.
    private func reopen(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteDatabase
    ) throws -> StoreSnapshot {
        // While the database is open, SQLite continues with the files that were removed.
        try? opened.database.close()
        let next = try SQLiteDatabase.open(self.path, generation: opened.generation + 1)
        do {
            guard let file = next.files.database else { throw StillChanging() }
            let before = self.inForce.withLock { $0 }
            let (snapshot, state) = try next.read { database in
                try Self.requireOwn(database, masterKey: masterKey)
                let snapshot = try database.snapshot(generation: next.generation)
                if let known { try self.requireSameNumbers(snapshot, as: known) }
                _ = try self.requireContinuation(
                    of: before,
                    file: file,
                    isSameFile: true,
                    masterKey: masterKey,
                    database: database
                )
                return (snapshot, try StoreState(database))
            }
            self.opened.withLock { $0 = next }
            self.inForce.withLock { $0 = state }
            self.replacement.withLock { $0 = Replacement() }
            return snapshot
        } catch {
            try? next.database.close()
            throw error
        }
    }

    /// Reads a database that is to take the place of the open one.
    /// - Returns: Its snapshot and its state.
    /// - Throws: ``StoreRefusal`` if it must not.
    func readReplacement(
        _ database: StoreTransaction,
        file: FileIdentity,
        masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteDatabase
    ) throws -> (StoreSnapshot, StoreState) {
        try Self.requireOwn(database, masterKey: masterKey)
        let snapshot = try database.snapshot(generation: opened.generation + 1)
        if let known { try self.requireSameNumbers(snapshot, as: known) }
        _ = try self.requireContinuation(
            of: try self.lastState(opened, masterKey: masterKey),
            file: file,
            isSameFile: false,
            masterKey: masterKey,
            database: database
        )
        return (snapshot, try StoreState(database))
    }

    /// The last state of the replaced database, to which nothing is written any more.
    private func lastState(_ opened: SQLiteDatabase, masterKey: MasterKey) throws -> StoreState? {
        guard let known = self.inForce.withLock({ $0 }) else { return nil }
        return try opened.read { database in
            let isContained = try known.isContained(
                in: database,
                masterKey: masterKey,
                mayHaveForgotten: true
            )
            return isContained ? try StoreState(database) : known
        }
    }

    /// Opens the checked file, checks it again, and carries the journal over.
    private func openReplacement(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        opened: SQLiteDatabase
    ) throws -> (SQLiteDatabase, StoreSnapshot) {
        let next = try SQLiteDatabase.open(self.path, generation: opened.generation + 1)
        do {
            guard let file = next.files.database else { throw StillChanging() }
            let (snapshot, state) = try next.read { database in
                try self.readReplacement(
                    database,
                    file: file,
                    masterKey: masterKey,
                    after: known,
                    opened: opened
                )
            }
            try Self.carryJournal(from: opened.database, to: next.database)
            self.inForce.withLock { $0 = state }
            return (next, snapshot)
        } catch {
            try? next.database.close()
            throw error
        }
    }
}
