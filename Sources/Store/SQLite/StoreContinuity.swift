import Access
import Foundation
import Synchronization

/// Continuity of the file in force.
extension SQLiteEngine {
    /// How a file continues the state in force.
    enum Continuation {
        /// It contains the state in force.
        case complete
        /// It lacks a part of that state, and an administrator confirmed it.
        case accepted
    }

    /// Requires that a database continues the state in force. Otherwise the file is recorded as
    /// one that an administrator can confirm.
    /// - Parameters:
    ///   - known: The state in force; nil before the first read.
    ///   - file: The identity of the database's file.
    ///   - isSameFile: Whether it is the file in force.
    /// - Throws: ``StoreRefusal`` if a part of the state in force is missing, and no
    ///   administrator confirmed this file.
    func requireContinuation(
        of known: StoreState?,
        file: FileIdentity,
        isSameFile: Bool,
        masterKey: MasterKey,
        database: StoreTransaction
    ) throws -> Continuation {
        let check = ContinuityCheck(
            known: known,
            file: file,
            isSameFile: isSameFile,
            masterKey: masterKey,
            accepted: self.replacement.withLock(\.accepted)
        )
        switch try check.outcome(database) {
        case .complete: return .complete
        case .accepted: return .accepted
        case .lacking(let candidate, let refusal):
            self.replacement.withLock { $0.waiting = candidate }
            throw refusal
        }
    }

    /// Confirms, for an administrator, a file that lacks a part of the state in force.
    /// - Parameter waiting: The file and revision that the administrator saw.
    /// - Returns: False if another file or revision waits by now.
    func accept(_ waiting: WaitingStore) -> Bool {
        self.replacement.withLock { replacement in
            guard let candidate = replacement.waiting, candidate.waiting == waiting else {
                return false
            }
            replacement.accepted = candidate
            replacement.refusal = nil
            return true
        }
    }

    // MARK: - Reading what is in force

    /// Reads the whole file. The first call also sets the state that later reads must continue.
    func load() throws -> StoreSnapshot {
        let opened = self.current
        let (snapshot, state) = try self.read { transaction in
            (
                try transaction.snapshot(generation: opened.generation),
                try StoreState(transaction)
            )
        }
        self.inForce.withLock { $0 = $0 ?? state }
        return snapshot
    }

    /// Reads the file in force if it continues the state in force.
    ///
    /// - Parameters:
    ///   - known: The snapshot that was read last.
    ///   - always: Whether to read a snapshot even if the revision is unchanged.
    ///   - answered: Called when the file has answered, before the snapshot is read.
    /// - Returns: Nil if the revision is unchanged.
    /// - Throws: ``StoreRefusal`` if an older state was written into the file, as the command
    ///   `.restore` of sqlite3 does.
    func newest(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        always: Bool,
        answered: () -> Void
    ) throws -> StoreSnapshot? {
        if let replaced = try self.adoptReplacement(masterKey, after: known) { return replaced }
        let opened = self.current
        guard let file = opened.files.database else { return nil }
        let before = self.inForce.withLock { $0 }
        let check: (StoreTransaction) throws -> (Continuation, StoreState) = { database in
            let continuation = try self.requireContinuation(
                of: before,
                file: file,
                isSameFile: true,
                masterKey: masterKey,
                database: database
            )
            return (continuation, try StoreState(database))
        }
        let (continuation, state) = try self.read(check)
        answered()
        if continuation == .complete, !always, state.revision == known?.access.revision {
            self.inForce.withLock { $0 = state }
            return nil
        }
        let (snapshot, now) = try self.read { database in
            let (continuation, state) = try check(database)
            if continuation == .complete, let known, known.isFrom(generation: opened.generation),
                let next = try database.snapshot(after: known)
            {
                return (next, (state, false))
            }
            let isAccepted = continuation == .accepted
            let snapshot = try database.snapshot(
                generation: opened.generation + (isAccepted ? 1 : 0)
            )
            if isAccepted {
                try Self.requireOwn(database, masterKey: masterKey)
                if let known { try self.requireSameNumbers(snapshot, as: known) }
            }
            return (snapshot, (state, isAccepted))
        }
        if now.1 { self.beginGeneration() }
        self.inForce.withLock { $0 = now.0 }
        return snapshot
    }

    /// Reads the file in force after an edit of this process.
    /// - Throws: ``StoreRefusal`` if a part of the state in force is missing,
    ///   ``StoreError/replaced`` if an accepted replacement is still to be adopted.
    /// - Parameter current: The snapshot in force; the next one is derived from it if possible.
    func loadNext(
        _ masterKey: MasterKey,
        after current: StoreSnapshot?
    ) throws -> StoreSnapshot {
        let opened = self.current
        guard let file = opened.files.database else { throw StoreError.replaced }
        let known = self.inForce.withLock { $0 }
        return try self.read { database in
            let continuation = try self.requireContinuation(
                of: known,
                file: file,
                isSameFile: true,
                masterKey: masterKey,
                database: database
            )
            // The follower of the store adopts an accepted state.
            guard continuation == .complete else { throw StoreError.replaced }
            if let current, current.isFrom(generation: opened.generation),
                let next = try database.snapshot(after: current)
            {
                return next
            }
            return try database.snapshot(generation: opened.generation)
        }
    }

    /// Starts a new generation in the same file, so that its snapshots are newer than all
    /// earlier ones whatever their revision.
    private func beginGeneration() {
        self.opened.withLock { opened in
            opened = SQLiteDatabase(
                database: opened.database,
                files: opened.files,
                generation: opened.generation + 1
            )
        }
        self.replacement.withLock { $0 = Replacement() }
    }
}
