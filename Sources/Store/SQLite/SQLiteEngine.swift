import Foundation
import GRDB

/// An open SQLite database, and the files that it was opened from: connection, transactions, and what is done so that
/// what was answered is on the disk.
struct SQLiteEngine: Sendable {
    /// How long an edit waits for another one to end.
    private static let busyTimeout: TimeInterval = 10

    let database: DatabasePool
    let files: StoreFiles
    /// Counts the files that were in force one after the other.
    let generation: Int

    /// Opens the file that is at a path now, as it is.
    /// - Throws: where SQLite cannot use it, or it is exchanged meanwhile.
    static func open(_ path: String, generation: Int) throws -> SQLiteEngine {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.label = "store"
        configuration.prepareDatabase { database in
            // Of a credential that was taken out nothing stays in the file's free pages.
            try database.execute(sql: "PRAGMA secure_delete = ON")
            // Each change is brought into the database at once: SQLite would take what lies in a
            // write-ahead log for a part of whatever file is put in the database's place.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 1")
        }
        let before = FileIdentity(path: path)
        let database = try DatabasePool(path: path, configuration: configuration)
        // What was answered as done is on the disk, be it the power that fails. A pool that is opened
        // sets NORMAL.
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let files = StoreFiles(path: path)
        guard files.database == before else {
            throw StoreRefusal("\(path) was exchanged while it was opened")
        }
        return SQLiteEngine(database: database, files: files, generation: generation)
    }

    /// Brings the tables up to this version.
    /// - Throws: ``StoreError`` for the store of a newer version.
    func migrate(_ path: String) throws {
        guard try !self.database.read(Schema.migrator.hasBeenSuperseded) else {
            throw StoreError.unusable("\(path) is the store of a newer version of gatepost")
        }
        try Schema.migrator.migrate(self.database)
    }

    func close() throws {
        try self.database.close()
    }

    // MARK: - Transactions

    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.database.read { try body(StoreTransaction($0)) }
    }

    func write<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.database.write { try body(StoreTransaction($0)) }
    }

    /// After an edit: brings what it wrote into the one file.
    /// - Parameter removesSecrets: whether nothing of what it took out may stay.
    func settle(removesSecrets: Bool) {
        if removesSecrets { self.truncateWAL() } else { self.completeDatabase() }
    }

    /// Brings SQLite's write-ahead log into the file, so that nothing of what was taken out stays in
    /// it. Where somebody reads for long, that happens with the next change that takes out something.
    private func truncateWAL() {
        try? self.database.writeWithoutTransaction { database in
            _ = try database.checkpoint(.truncate)
        }
    }

    /// Waits until SQLite has brought all of its write-ahead log into the file. Somebody who reads while a change
    /// is made keeps the log's last pages from it, and whoever copies the file then has not got the change.
    /// A read that takes longer than the 100 milliseconds of this wait leaves that to the next change.
    private func completeDatabase() {
        for _ in 0..<20 {
            let result = try? self.database.writeWithoutTransaction { try $0.checkpoint(.passive) }
            guard let result, result.checkpointedFrameCount < result.walFrameCount else { return }
            usleep(5_000)
        }
    }

    // MARK: - What went wrong

    /// Does something with the database.
    /// - Throws: ``StoreError`` for what the database says.
    static func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw self.explained(error)
        }
    }

    /// What went wrong, in words that say what to do.
    static func explained(_ error: DatabaseError) -> StoreError {
        switch error.resultCode {
        case .SQLITE_BUSY:
            .unusable("the store is in use by another command: try again")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN:
            .refused("the store cannot be written: run this as its owner")
        case .SQLITE_CONSTRAINT:
            .refused("this breaks a rule of the store (\(error.message ?? "constraint"))")
        default:
            .unusable("the store failed: \(error.message ?? "\(error)")")
        }
    }

    /// - Returns: nil, or what SQLite found wrong with the file.
    func integrityProblem() throws -> String? {
        let answer = try self.database.read { database in
            try String.fetchOne(database, sql: "PRAGMA integrity_check")
        }
        return answer == "ok" ? nil : answer ?? "no answer"
    }
}
