package import Access
import Foundation
import GRDB
import Synchronization

/// Users, groups, accounts and grants, in one SQLite file.
///
/// The command line writes while a gateway reads. An edit is one transaction, counts the revision
/// up, and leaves a record in the audit log.
package final class PermissionStore: Sendable {
    /// How long an edit waits for another one to end.
    private static let busyTimeout: TimeInterval = 10

    /// An open database, and the files that it was opened from.
    struct Opened: Sendable {
        let database: DatabasePool
        let files: StoreFiles
        /// Counts the files that were in force one after the other.
        let generation: Int
    }

    /// What becomes of a file that took the place of the one in force.
    struct Replacement: Sendable {
        /// The file that was seen last, and may still be being written.
        var seen: [FileStamp] = []
        /// Why the file that was seen last is not taken.
        var refusal: StoreRefusal?
        /// The file that is refused until an administrator confirms it.
        var waiting: AcceptedStore?
        /// Whether what SQLite keeps beside the file in force was taken away with the file.
        var hasRetired = false
        /// The file that an administrator confirmed.
        var accepted: AcceptedStore?
    }

    let opened: Mutex<Opened>
    let replacement = Mutex(Replacement())
    /// How far the file in force had come when it was read last; nil where nobody follows it yet.
    let inForce = Mutex<StoreStanding?>(nil)
    package let path: String

    var database: DatabasePool { self.opened.withLock(\.database) }

    /// Opens a store.
    /// - Parameter creates: whether to make one where there is none.
    /// - Throws: when the file cannot be opened, is no store, or is a newer version's.
    package init(path: String, creates: Bool = true) throws {
        self.path = path
        do {
            let exists = FileManager.default.fileExists(atPath: path)
            guard exists || creates else {
                throw StoreError.unusable(
                    "no store at \(path): gatepost init, or restore a backup"
                )
            }
            // SQLite gives its other files the mode of this one.
            if !exists {
                _ = FileManager.default.createFile(
                    atPath: path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            }
            let opened = try Self.open(path, generation: 0)
            guard try !opened.database.read(Schema.migrator.hasBeenSuperseded) else {
                throw StoreError.unusable("\(path) is the store of a newer version of gatepost")
            }
            try Schema.migrator.migrate(opened.database)
            self.opened = Mutex(opened)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(
                "\(path) cannot be opened as a store (\(error)): check the path and its owner, or "
                    + "restore it from your backup"
            )
        }
    }

    /// Opens the file that is at a path now, as it is.
    /// - Throws: where SQLite cannot use it, or it is exchanged meanwhile.
    static func open(_ path: String, generation: Int) throws -> Opened {
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
        return Opened(database: database, files: files, generation: generation)
    }

    /// Closes the file: the last process brings SQLite's write-ahead log into it.
    package func close() {
        try? self.database.close()
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

    /// One transaction on the file that is at the store's path.
    /// - Throws: where another file is there, or none, before it or after it: nobody would read what
    ///   was written.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let opened = self.opened.withLock { $0 }
        // A database that was replaced may be closed by now, and fail for that alone.
        let result = Result {
            try opened.database.write { database in
                let value = try body(database)
                try self.requireInPlace(opened)
                return value
            }
        }
        try self.requireInPlace(opened)
        return try result.get()
    }

    private func requireInPlace(_ opened: Opened) throws {
        guard StoreFiles(path: self.path) == opened.files else { throw StoreError.replaced }
    }

    /// What the audit log has of an edit before it is made.
    struct Edit {
        var actor: String
        /// Where the actor is.
        var from: String
        var what: String
        /// The address of the one account that it is about.
        var account: String?
        /// Whether nothing of what it takes out may stay in the store's files.
        var removesSecrets: Bool

        init(
            actor: String,
            from: String = "command line",
            _ what: String,
            account: String? = nil,
            removesSecrets: Bool = false
        ) {
            self.actor = actor
            self.from = from
            self.what = what
            self.account = account
            self.removesSecrets = removesSecrets
        }
    }

    /// One edit, and its record in the audit log: both are made, or neither.
    /// - Parameter details: what it changed, where ``Edit/what`` does not say all.
    func edit<Value>(
        _ edit: Edit,
        details: (Value) -> [String] = { _ in [] },
        body: (Database) throws -> Value
    ) throws -> Value {
        do {
            let value = try self.write { database in
                var record = AuditRecord(event: "change", actor: edit.actor, from: edit.from)
                // Before the change, which may remove the account.
                record.account = try edit.account.flatMap { try Self.primary(named: $0, database) }
                let value = try body(database)
                if let account = edit.account, record.account == nil {
                    record.account = try Self.primary(named: account, database)
                }
                record.detail = [edit.what] + details(value)
                try database.execute(sql: "UPDATE revision SET value = value + 1")
                try Self.append([(.current, record)], database: database)
                return value
            }
            if edit.removesSecrets { self.truncateWAL() } else { self.completeDatabase() }
            return value
        } catch let error as DatabaseError {
            throw Self.explained(error)
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try self.database.read(body)
        } catch let error as DatabaseError {
            throw Self.explained(error)
        }
    }

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

    // MARK: - Health

    /// - Throws: where this process may not write the store.
    package func requireWritable() throws {
        let folder = URL(fileURLWithPath: self.path).deletingLastPathComponent().path
        for path in [self.path, folder] where access(path, W_OK) != 0 {
            throw StoreError.unusable(
                "\(path) cannot be written by the gateway's user: chown -R it to that user"
            )
        }
    }

    /// - Returns: nil, or what SQLite found wrong with the file.
    package func integrityProblem() throws -> String? {
        let answer = try self.read { database in
            try String.fetchOne(database, sql: "PRAGMA integrity_check")
        }
        return answer == "ok" ? nil : answer ?? "no answer"
    }
}

extension Moment {
    package static var current: Moment {
        Moment(seconds: Int64(Date().timeIntervalSince1970))
    }
}
