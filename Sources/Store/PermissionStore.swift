package import Access
import Foundation
import GRDB

/// Users, groups, accounts and grants, in one SQLite file.
///
/// The command line writes while a gateway reads. An edit is one transaction, counts the revision
/// up, and leaves a record in the audit log.
package final class PermissionStore: Sendable {
    /// How long an edit waits for another one to end.
    private static let busyTimeout: TimeInterval = 10

    let database: DatabasePool
    package let path: String

    /// Opens a store, and makes it where there is none.
    /// - Throws: when the file cannot be opened, or is no store.
    package init(path: String) throws {
        self.path = path
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.label = "store"
        configuration.prepareDatabase { database in
            // What was answered as done is on the disk, be it the power that fails.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // Of a credential that was taken out nothing stays in the file's free pages.
            try database.execute(sql: "PRAGMA secure_delete = ON")
        }
        do {
            // SQLite gives its other files the mode of this one.
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(
                    atPath: path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            }
            self.database = try DatabasePool(path: path, configuration: configuration)
            try Schema.migrator.migrate(self.database)
        } catch {
            throw StoreError.unusable(
                "\(path) cannot be opened as a store (\(error)): check the path and its owner, or "
                    + "restore it from your backup"
            )
        }
    }

    /// Brings SQLite's write-ahead log into the file, so that nothing of what was taken out stays in
    /// it. Where somebody reads for long, that happens with the next change that takes out something.
    private func truncateWAL() {
        try? self.database.writeWithoutTransaction { database in
            _ = try database.checkpoint(.truncate)
        }
    }

    /// One edit, and its record in the audit log: both are made, or neither.
    /// - Parameters:
    ///   - from: where the actor is.
    ///   - account: the address of the one account that it is about.
    ///   - removesSecrets: whether nothing of what it takes out may stay in the store's files.
    ///   - details: what it changed, where `what` does not say all.
    func edit<Value>(
        actor: String,
        from: String = "command line",
        _ what: String,
        account: String? = nil,
        removesSecrets: Bool = false,
        details: (Value) -> [String] = { _ in [] },
        _ body: (Database) throws -> Value
    ) throws -> Value {
        do {
            let value = try self.database.write { database in
                var record = AuditRecord(event: "change", actor: actor, from: from)
                // Before the change, which may remove the account.
                record.account = try account.flatMap { try Self.primary(named: $0, database) }
                let value = try body(database)
                if let account, record.account == nil {
                    record.account = try Self.primary(named: account, database)
                }
                record.detail = [what] + details(value)
                try database.execute(sql: "UPDATE revision SET value = value + 1")
                try Self.append([(.current, record)], database)
                return value
            }
            if removesSecrets { self.truncateWAL() }
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
