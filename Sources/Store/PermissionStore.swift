package import Access
import Foundation
import Synchronization

/// Users, groups, accounts and grants, in one SQLite file.
///
/// The command line writes while a gateway reads. An edit is one transaction, counts the revision
/// up, and leaves a record in the audit log.
package final class PermissionStore: Sendable {
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

    let opened: Mutex<SQLiteEngine>
    let replacement = Mutex(Replacement())
    /// How far the file in force had come when it was read last; nil where nobody follows it yet.
    let inForce = Mutex<StoreStanding?>(nil)
    package let path: String

    /// The engine with the file in force.
    var engine: SQLiteEngine { self.opened.withLock { $0 } }

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

    /// Closes the file: the last process brings SQLite's write-ahead log into it.
    package func close() {
        try? self.engine.close()
    }

    /// One transaction on the file that is at the store's path.
    /// - Throws: where another file is there, or none, before it or after it: nobody would read what
    ///   was written.
    func write<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        let opened = self.engine
        // A database that was replaced may be closed by now, and fail for that alone.
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

    private func requireInPlace(_ opened: SQLiteEngine) throws {
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
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        try SQLiteEngine.explaining {
            let value = try self.write { transaction in
                var record = AuditRecord(event: "change", actor: edit.actor, from: edit.from)
                // Before the change, which may remove the account.
                record.account = try edit.account.flatMap { try transaction.primary(named: $0) }
                let value = try body(transaction)
                if let account = edit.account, record.account == nil {
                    record.account = try transaction.primary(named: account)
                }
                record.detail = [edit.what] + details(value)
                try transaction.execute(sql: "UPDATE revision SET value = value + 1")
                try transaction.append([(.current, record)])
                return value
            }
            self.engine.settle(removesSecrets: edit.removesSecrets)
            return value
        }
    }

    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        let engine = self.engine
        return try SQLiteEngine.explaining { try engine.read(body) }
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
        let engine = self.engine
        return try SQLiteEngine.explaining { try engine.integrityProblem() }
    }
}

extension Moment {
    package static var current: Moment {
        Moment(seconds: Int64(Date().timeIntervalSince1970))
    }
}
