import Access
import Foundation
import GRDB
import Synchronization

/// The last record of an audit log. Each record's hash is one over the hash before it: a log that has
/// this record has everything that was recorded up to it.
struct AuditEnd: Equatable, Sendable {
    let sequence: Int64
    let hash: Data
}

/// How far a store had come when it was read.
struct StoreStanding: Equatable, Sendable {
    let revision: Int64
    let end: AuditEnd

    init(_ database: StoreTransaction) throws {
        self.revision = try database.revision()
        let (sequence, hash) = try database.auditEnd()
        self.end = AuditEnd(sequence: sequence, hash: hash)
    }

    /// Whether a database has everything that was there at this standing.
    /// - Parameter mayHaveForgotten: whether this may have been deleted by retention since; that is
    ///   so in the file itself alone, for in another one nothing would prove that it ever was there.
    func isContained(
        in database: StoreTransaction,
        _ masterKey: MasterKey,
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

/// What an administrator confirmed.
struct AcceptedStore: Equatable, Sendable {
    let file: FileIdentity
    let standing: StoreStanding

    var waiting: WaitingStore { WaitingStore(file: self.file, revision: self.standing.revision) }
}

extension PermissionStore {
    /// How a database goes on from what is in force.
    enum Continuation {
        /// It has everything that was there.
        case complete
        /// It lacks something, and an administrator confirmed it.
        case accepted
    }

    /// - Parameter known: what was in force; nil where nothing was yet.
    /// - Throws: ``StoreRefusal`` where something is missing that was in force, and no administrator
    ///   confirmed this very file. What is written into it later makes no difference to that.
    func requireContinuation(
        of known: StoreStanding?,
        _ file: FileIdentity,
        isSameFile: Bool,
        masterKey: MasterKey,
        database: StoreTransaction
    ) throws -> Continuation {
        guard let known else { return .complete }
        let isComplete = try known.isContained(
            in: database,
            masterKey,
            mayHaveForgotten: isSameFile
        )
        if isComplete { return .complete }
        let standing = try StoreStanding(database)
        let accepted = self.replacement.withLock(\.accepted)
        if let accepted, accepted.file == file,
            try accepted.standing.isContained(in: database, masterKey, mayHaveForgotten: false)
        {
            return .accepted
        }
        let candidate = AcceptedStore(file: file, standing: standing)
        self.replacement.withLock { $0.waiting = candidate }
        let lack =
            standing.revision < known.revision
            ? "its revision \(standing.revision) is older than \(known.revision), which is in force"
            : "it lacks the last audit record in force, number \(known.end.sequence)"
        throw StoreRefusal(
            "\(lack): what was taken away since then would be granted again; gatepost store accept",
            waiting: candidate.waiting
        )
    }

    /// An administrator confirms that a file is to be in force, although it lacks something that is.
    /// - Returns: whether this file waits for that, and has this revision still.
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

    /// Reads the file in force, if it has all that was in force before.
    ///
    /// - Parameters:
    ///   - known: what was read last.
    ///   - always: whether to read it where the revision is the same.
    ///   - answered: is called when the file has answered, and before all of it is read.
    /// - Returns: nil where the revision is the same.
    /// - Throws: ``StoreRefusal`` where an older state was written into the file, as `.restore` of
    ///   sqlite3 does it.
    func newest(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        always: Bool,
        answered: () -> Void
    ) throws -> StoreSnapshot? {
        let opened = self.engine
        guard let file = opened.files.database else { return nil }
        let before = self.inForce.withLock { $0 }
        let check: (StoreTransaction) throws -> (Continuation, StoreStanding) = { database in
            let continuation = try self.requireContinuation(
                of: before,
                file,
                isSameFile: true,
                masterKey: masterKey,
                database: database
            )
            return (continuation, try StoreStanding(database))
        }
        let (continuation, standing) = try self.read(check)
        answered()
        if continuation == .complete, !always, standing.revision == known?.access.revision {
            self.inForce.withLock { $0 = standing }
            return nil
        }
        let (published, now) = try self.read { database in
            let (continuation, standing) = try check(database)
            let isAccepted = continuation == .accepted
            let published = try database.published(
                generation: opened.generation + (isAccepted ? 1 : 0)
            )
            if isAccepted {
                try Self.requireOwn(database, masterKey: masterKey)
                if let known { try self.requireSameNumbers(published, as: known) }
            }
            return (published, (standing, isAccepted))
        }
        if now.1 { self.beginGeneration() }
        self.inForce.withLock { $0 = now.0 }
        return published
    }

    /// Reads the file in force after a change that this process made in it.
    /// - Throws: ``StoreRefusal`` where it lacks something that was in force.
    package func loadNext(_ masterKey: MasterKey) throws -> StoreSnapshot {
        let opened = self.engine
        guard let file = opened.files.database else { throw StoreError.replaced }
        let known = self.inForce.withLock { $0 }
        return try self.read { database in
            let continuation = try self.requireContinuation(
                of: known,
                file,
                isSameFile: true,
                masterKey: masterKey,
                database: database
            )
            // What an administrator accepted is taken by whoever follows the store.
            guard continuation == .complete else { throw StoreError.replaced }
            return try database.published(generation: opened.generation)
        }
    }

    /// What is published from now on comes after what was published before, whatever its revision.
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
