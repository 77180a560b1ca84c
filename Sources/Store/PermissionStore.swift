package import Access
import Foundation
import Synchronization

/// The permission store: users, groups, accounts, grants, the audit log and the transfer
/// journal, in one SQLite file.
///
/// Commands write while a gateway reads, in other processes. An edit is one transaction: it
/// increments the revision and appends a record to the audit log. The type may be used from any
/// thread. Every function blocks for the disk, and a write for up to 10 seconds until another
/// writer ends: never call one on an event loop.
package final class PermissionStore: Sendable {
    /// What is known of a file at the store's path that is not the open one.
    struct Replacement: Sendable {
        /// The files at the last look. Files that differ from these may still be being written.
        var seen: [FileStamp] = []
        /// Why the file that was seen last is refused; nil while it is unknown.
        var refusal: StoreRefusal?
        /// The file that is refused until an administrator confirms it.
        var waiting: AcceptedStore?
        /// Whether the write-ahead log and the shared index of the open database were removed.
        var hasRetired = false
        /// The file that an administrator confirmed.
        var accepted: AcceptedStore?
    }

    /// The open database and its files; replaced when another file takes its place.
    let opened: Mutex<SQLiteEngine>
    /// The state of a replacement that is under way.
    let replacement = Mutex(Replacement())
    /// The state of the open file when it was read last; nil until the first read.
    let inForce = Mutex<StoreState?>(nil)
    /// Whether this process wrote to the open database.
    private let hasWritten = Atomic(false)
    /// The path of the database file.
    package let path: String

    /// The open database.
    var engine: SQLiteEngine { self.opened.withLock { $0 } }

    /// Opens a store and migrates its tables to this version. A new file gets mode 0600.
    /// - Parameter creates: Whether to create a store if there is no file.
    /// - Throws: ``StoreError`` of kind `unusable` if the file cannot be opened, is not a
    ///   store, or belongs to a newer version.
    package init(path: String, creates: Bool = true) throws {
        self.path = path
        do {
            let exists = FileManager.default.fileExists(atPath: path)
            guard exists || creates else {
                throw StoreError.unusable(Self.missing(path))
            }
            // SQLite gives its other files the mode of this one.
            if !exists {
                _ = FileManager.default.createFile(
                    atPath: path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            }
            let opened = try SQLiteEngine.open(path, generation: 0)
            try opened.migrate(path)
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

    /// The remedy for a file that does not exist, or that this user cannot reach.
    private static func missing(_ path: String) -> String {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let manager = FileManager.default
        return manager.fileExists(atPath: folder) && !manager.isExecutableFile(atPath: folder)
            ? "you may not enter \(folder), the folder of the store: become root, or use sudo"
            : "no store at \(path): gatepost init, or restore a backup"
    }

    /// A command ends with its store. While a gateway has the file open, SQLite would leave what
    /// the command wrote in the write-ahead log.
    deinit {
        if self.hasWritten.load(ordering: .relaxed) { self.engine.emptyLog() }
    }

    /// Empties the write-ahead log and closes the database. Errors are ignored.
    package func close() {
        try? self.engine.close()
    }

    /// Runs one write transaction on the file at the store's path.
    /// - Throws: ``StoreError/replaced`` if another file, or none, is at the path before the
    ///   commit or after it: no gateway would read what was written.
    func write<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        let opened = self.engine
        self.hasWritten.store(true, ordering: .relaxed)
        // A replaced database may be closed already. Its error is then less useful than
        // `replaced`.
        let result = Result {
            try opened.write { transaction in
                let value = try body(transaction)
                try self.requireInPlace(opened)
                return value
            }
        }
        try self.requireInPlace(opened)
        return try result.get()
    }

    /// - Throws: ``StoreError/replaced`` unless the files at the path are the open ones.
    private func requireInPlace(_ opened: SQLiteEngine) throws {
        guard StoreFiles(path: self.path) == opened.files else { throw StoreError.replaced }
    }

    /// The audit data of an edit that is known before the edit runs.
    struct Edit {
        /// Who makes the edit.
        var actor: String
        /// Where the actor is: `command line`, a network address, or a component of the
        /// gateway.
        var from: String
        /// The edit in the words of the command line, such as `user add u@example.test`.
        var what: String
        /// An address of the one account that the edit is about; nil for none or several.
        var account: String?
        /// Whether the edit removes a secret, which then must not remain in the write-ahead
        /// log.
        var removesSecrets: Bool

        /// Creates the audit data of an edit.
        init(
            actor: String,
            from: String = "command line",
            action what: String,
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

    /// Runs one edit: the change, the new revision and the audit record are committed together,
    /// or none of them.
    /// - Parameters:
    ///   - details: What was changed, computed from the body's result, where ``Edit/what`` does
    ///     not say it all.
    ///   - body: The change, inside the write transaction. It must not call the store itself:
    ///     GRDB's connections are not reentrant and trap.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func edit<Value>(
        _ edit: Edit,
        details: (Value) -> [String] = { _ in [] },
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        try SQLiteEngine.explaining {
            let value = try self.write { transaction in
                var record = AuditRecord(event: "change", actor: edit.actor, from: edit.from)
                // Resolve the address before the change, which may remove the account.
                record.account = try edit.account.flatMap { try transaction.primary(named: $0) }
                let value = try body(transaction)
                if let account = edit.account, record.account == nil {
                    record.account = try transaction.primary(named: account)
                }
                record.detail = [edit.what] + details(value)
                try transaction.execute(sql: "UPDATE revision SET value = value + 1")
                try transaction.finishRowChanges()
                try transaction.append([(.current, record)])
                return value
            }
            self.engine.settle(removesSecrets: edit.removesSecrets)
            return value
        }
    }

    /// Runs a read transaction, which sees one state of the store.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        let engine = self.engine
        return try SQLiteEngine.explaining { try engine.read(body) }
    }

    // MARK: - Health

    /// - Throws: ``StoreError`` of kind `unusable` if this process may not write the database
    ///   file or its directory, in which SQLite creates its other files.
    package func requireWritable() throws {
        let folder = URL(fileURLWithPath: self.path).deletingLastPathComponent().path
        for path in [self.path, folder] where access(path, W_OK) != 0 {
            throw StoreError.unusable(
                "\(path) cannot be written by the gateway's user: chown -R it to that user"
            )
        }
    }

    /// Runs SQLite's integrity check over the whole file, which takes time in proportion to its
    /// size.
    /// - Returns: Nil for an intact file, otherwise what SQLite found.
    package func integrityProblem() throws -> String? {
        let engine = self.engine
        return try SQLiteEngine.explaining { try engine.integrityProblem() }
    }
}

/// The wall clock.
extension Moment {
    /// The current time in whole seconds.
    package static var current: Moment {
        Moment(seconds: Int64(Date().timeIntervalSince1970))
    }
}
