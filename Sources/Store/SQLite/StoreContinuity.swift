import Access
import Foundation
import GRDB
import Synchronization

/// The last record of an audit log. Its hash covers the hash of the record before it, so a log
/// that contains this record contains everything recorded up to it.
struct AuditEnd: Equatable, Sendable {
    /// The record's number; 0 for a log without records.
    let sequence: Int64
    /// The record's hash, 32 octets.
    let hash: Data
}

/// The state of a store when it was read, with which a later state is compared.
struct StoreState: Equatable, Sendable {
    /// The revision.
    let revision: Int64
    /// The end of the audit log.
    let end: AuditEnd

    /// Reads the state of a database.
    init(_ database: StoreTransaction) throws {
        self.revision = try database.revision()
        let (sequence, hash) = try database.auditEnd()
        self.end = AuditEnd(sequence: sequence, hash: hash)
    }

    /// Whether a database has everything that was there in this state.
    /// - Parameter mayHaveForgotten: Whether retention may have deleted the last record since.
    ///   Only the same file may: in another file nothing would prove that the record ever was
    ///   there.
    func isContained(
        in database: StoreTransaction,
        masterKey: MasterKey,
        mayHaveForgotten: Bool
    ) throws -> Bool {
        guard try database.revision() >= self.revision else { return false }
        guard self.end.sequence > 0 else { return true }
        let stored = try database.value(
            of: Data.self,
            sql: "SELECT hash FROM audit WHERE sequence = ?",
            arguments: [self.end.sequence]
        )
        if let stored { return stored == self.end.hash }
        guard let start = try AuditSeal.fetch(.start, transaction: database),
            start.isAuthentic(masterKey)
        else { return false }
        if start.sequence == self.end.sequence { return start.hash == self.end.hash }
        return mayHaveForgotten && start.sequence > self.end.sequence
    }
}

/// A file and its state, which an administrator can confirm or has confirmed.
struct AcceptedStore: Equatable, Sendable {
    /// The file's identity.
    let file: FileIdentity
    /// The state that was shown to the administrator.
    let state: StoreState

    /// The form in which commands see it.
    var waiting: WaitingStore { WaitingStore(file: self.file, revision: self.state.revision) }
}

/// Continuity: a gateway never goes back to an older state of the store by itself, because that
/// would give back rights that were withdrawn since.
extension PermissionStore {
    /// How a database continues the state in force.
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
    ///   administrator confirmed this file. A confirmation stays valid when the file is written
    ///   to.
    func requireContinuation(
        of known: StoreState?,
        file: FileIdentity,
        isSameFile: Bool,
        masterKey: MasterKey,
        database: StoreTransaction
    ) throws -> Continuation {
        guard let known else { return .complete }
        let isComplete = try known.isContained(
            in: database,
            masterKey: masterKey,
            mayHaveForgotten: isSameFile
        )
        if isComplete { return .complete }
        let state = try StoreState(database)
        let accepted = self.replacement.withLock(\.accepted)
        if let accepted, accepted.file == file,
            try accepted.state.isContained(
                in: database,
                masterKey: masterKey,
                mayHaveForgotten: false
            )
        {
            return .accepted
        }
        let candidate = AcceptedStore(file: file, state: state)
        self.replacement.withLock { $0.waiting = candidate }
        let lack =
            state.revision < known.revision
            ? "its revision \(state.revision) is older than \(known.revision), which is in force"
            : "it lacks the last audit record in force, number \(known.end.sequence)"
        throw StoreRefusal(
            "\(lack): rights that were withdrawn since then would be granted again; gatepost store accept",
            waiting: candidate.waiting
        )
    }

    /// Confirms, for an administrator, a file that lacks a part of the state in force.
    /// - Parameter waiting: The file and revision that the administrator saw.
    /// - Returns: False if another file or revision waits by now.
    package func accept(_ waiting: WaitingStore) -> Bool {
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
        let opened = self.engine
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
    package func loadNext(
        _ masterKey: MasterKey,
        after current: StoreSnapshot? = nil
    ) throws -> StoreSnapshot {
        let opened = self.engine
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
            opened = SQLiteEngine(
                database: opened.database,
                files: opened.files,
                generation: opened.generation + 1
            )
        }
        self.replacement.withLock { $0 = Replacement() }
    }
}
