import Foundation
import GRDB

/// An open SQLite database with the identities of its files: connections, transactions, and
/// durability. Safe to use from several threads; GRDB's pool serializes writes.
struct SQLiteDatabase: Sendable {
    /// Seconds that a write waits for another process's write to end.
    private static let busyTimeout: TimeInterval = 10

    /// Milliseconds that the truncation of the write-ahead log waits for readers. Every command
    /// waits for it.
    private static let logTimeout = 100

    /// The pool of connections: one that writes, several that read.
    let database: DatabasePool
    /// The files that were opened.
    let files: StoreFiles
    /// The number of the file in this process: 0 for the first one, one more for each that
    /// replaces another.
    let generation: Int

    /// Opens the file at a path without migrating it.
    /// - Throws: `DatabaseError` if SQLite cannot open it, ``StoreRefusal`` if another file
    ///   took its place meanwhile.
    static func open(_ path: String, generation: Int) throws -> SQLiteDatabase {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.label = "store"
        configuration.prepareDatabase { database in
            // SQLite overwrites deleted content with zeros, so a removed credential does not
            // stay in free pages.
            try database.execute(sql: "PRAGMA secure_delete = ON")
            // Checkpoint after every commit: SQLite would apply a left-over write-ahead log to
            // whatever file replaces the database.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 1")
        }
        let before = FileIdentity(path: path)
        let database = try DatabasePool(path: path, configuration: configuration)
        // A committed edit must survive a power failure. GRDB's pool sets NORMAL when it opens.
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // In a large edit, each statement with a trigger would write the pages that it changes
            // to a temporary file, from which a failed statement is undone.
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        let files = StoreFiles(path: path)
        guard files.database == before else {
            throw StoreRefusal("\(path) was replaced while it was opened")
        }
        return SQLiteDatabase(database: database, files: files, generation: generation)
    }

    /// Migrates the tables to this version.
    /// - Throws: ``StoreError`` of kind `unusable` for the store of a newer version.
    func migrate(_ path: String) throws {
        guard try !self.database.read(Schema.migrator.hasBeenSuperseded) else {
            throw StoreError.unusable(
                "\(path) is the store of a newer version of gatepost: install that version, or "
                    + "restore a backup from before the update"
            )
        }
        try Schema.migrator.migrate(self.database)
    }

    /// Closes all connections. The write-ahead log is emptied before, so that a copy of the
    /// database file alone is complete even if another process keeps the files open.
    /// - Throws: `DatabaseError` while a connection is in use.
    func close() throws {
        self.emptyLog()
        try self.database.close()
    }

    // MARK: - Transactions

    /// Runs a read transaction, which sees one state of the database.
    /// - Throws: `DatabaseError`; errors of the body are rethrown.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.database.read { try body(StoreTransaction($0)) }
    }

    /// Runs a write transaction; it is rolled back if the body throws.
    /// - Throws: `DatabaseError`, of code `SQLITE_BUSY` after ``busyTimeout``; errors of the
    ///   body are rethrown.
    func write<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.database.write { try body(StoreTransaction($0)) }
    }

    /// Moves the pages of an edit from the write-ahead log into the database file, so that a
    /// copy of that file has the edit.
    /// - Parameter removesSecrets: Whether to wait up to ``busyTimeout`` for readers, because
    ///   the log has the secret that the edit removed.
    func settle(removesSecrets: Bool) {
        if removesSecrets { self.truncateLog() } else { self.emptyLog() }
    }

    /// Checkpoints and truncates the write-ahead log, so that no removed secret stays in it.
    /// While another process reads an old state, that is left to the next edit.
    private func truncateLog() {
        try? self.database.writeWithoutTransaction { database in
            _ = try database.checkpoint(.truncate)
        }
    }

    /// Checkpoints and truncates the write-ahead log. A reader of an old state prevents that:
    /// it is left to the next edit then, after ``logTimeout``.
    func emptyLog() {
        try? self.database.writeWithoutTransaction { database in
            let usual = Int(Self.busyTimeout * 1_000)
            try database.execute(sql: "PRAGMA busy_timeout = \(Self.logTimeout)")
            defer { try? database.execute(sql: "PRAGMA busy_timeout = \(usual)") }
            _ = try database.checkpoint(.truncate)
        }
    }

    // MARK: - What went wrong

    /// Runs a body and translates SQLite's errors.
    /// - Throws: ``StoreError`` in place of `DatabaseError`; other errors are rethrown.
    static func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw self.explained(error)
        }
    }

    /// A message that states the remedy for an error of SQLite.
    static func explained(_ error: DatabaseError) -> StoreError {
        switch error.resultCode {
        case .SQLITE_BUSY:
            .unusable("the store is in use by another command: try again")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN:
            .refused("the store cannot be written: run this as its owner")
        case .SQLITE_CONSTRAINT:
            .refused("this violates a constraint of the store (\(error.message ?? "constraint"))")
        default:
            .unusable("the store failed: \(error.message ?? "\(error)")")
        }
    }

    /// - Returns: Nil for an intact file, otherwise what SQLite found.
    func integrityProblem() throws -> String? {
        let answer = try self.database.read { database in
            try String.fetchOne(database, sql: "PRAGMA integrity_check")
        }
        return answer == "ok" ? nil : answer ?? "no answer"
    }
}
