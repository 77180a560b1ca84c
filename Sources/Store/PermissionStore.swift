package import Access
import Foundation

/// The permission store: users, groups, accounts, grants, the audit log and the transfer
/// journal, in one SQLite file or one PostgreSQL database.
///
/// Commands write while a gateway reads, in other processes. An edit is one transaction: it
/// increments the revision and appends a record to the audit log. The type may be used from any
/// thread. Every function blocks for the disk, and a write for up to 10 seconds until another
/// writer ends: never call one on an event loop.
package final class PermissionStore: Sendable {
    /// The engine that has the rows.
    let engine: any StoreEngine
    /// Where the store is.
    package let location: StoreLocation
    /// The path of the file, or the first part of the paths of what a node keeps beside a database.
    package var path: String { self.location.path }

    /// Opens the store in a file and migrates its tables to this version.
    /// - Parameter creates: Whether to create a store if there is no file.
    /// - Throws: ``StoreError`` as ``init(_:creates:)``.
    package convenience init(path: String, creates: Bool = true) throws {
        try self.init(.file(path: path), creates: creates)
    }

    /// Opens a store and migrates its tables to this version. A new file gets mode 0600.
    /// - Parameter creates: Whether to create a store if there is none.
    /// - Throws: ``StoreError`` of kind `unusable` if the store cannot be opened, is not a store,
    ///   or belongs to a newer version.
    package init(_ location: StoreLocation, creates: Bool = true) throws {
        self.location = location
        switch location {
        case .file(let path):
            self.engine = try SQLiteEngine(path: path, creates: creates)
        case .postgreSQL(let server):
            self.engine = try PostgreSQLEngine(server, creates: creates)
        }
    }

    /// The identity of the open database; nil if it is unknown.
    package var file: FileIdentity? { self.engine.identity }

    /// Confirms, for an administrator, a store that lacks a part of the state in force.
    /// - Parameter waiting: The store and revision that the administrator saw.
    /// - Returns: False if another store or revision waits by now.
    package func accept(_ waiting: WaitingStore) -> Bool { self.engine.accept(waiting) }

    /// Reads the store after an edit of this process.
    /// - Parameter current: The snapshot in force; the next one is derived from it if possible.
    /// - Throws: ``StoreRefusal`` if a part of the state in force is missing,
    ///   ``StoreError/replaced`` if an accepted replacement is still to be adopted.
    package func loadNext(
        _ masterKey: MasterKey,
        after current: StoreSnapshot? = nil
    ) throws -> StoreSnapshot {
        try self.engine.loadNext(masterKey, after: current)
    }

    /// The names of the nodes whose gateways use the store now; empty for a file, which does not
    /// know.
    package func livingNodes() throws -> [String] { try self.engine.livingNodes() }

    /// The exchange with the other nodes; nil for a file, which has one gateway.
    package func exchange() -> NodeExchange? { self.engine.exchange() }

    /// Asks the gateways of all nodes, or of one, about their sessions, and waits for the answers.
    /// - Returns: Nil for a file, which has one gateway.
    /// - Throws: ``StoreError``.
    package func ask(_ question: NodeQuestion) throws -> NodeAnswers? {
        try self.engine.ask(question)
    }

    /// Closes the store. Errors are ignored.
    package func close() {
        self.engine.close()
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
    ///     connections are not reentrant.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func edit<Value>(
        _ edit: Edit,
        details: (Value) -> [String] = { _ in [] },
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        let value = try self.write(locking: .model) { transaction in
            var record = AuditRecord(event: "change", actor: edit.actor, from: edit.from)
            // Resolve the address before the change, which may remove the account.
            record.account = try edit.account.flatMap { try transaction.primary(named: $0) }
            let value = try body(transaction)
            if let account = edit.account, record.account == nil {
                record.account = try transaction.primary(named: account)
            }
            try transaction.execute(sql: "UPDATE revision SET value = value + 1")
            try transaction.finishRowChanges()
            try transaction.append(record, what: edit.what, details: details(value))
            return value
        }
        self.engine.settle(removesSecrets: edit.removesSecrets)
        return value
    }

    /// Runs a read transaction, which sees one state of the store.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.engine.read(body)
    }

    /// Runs a write transaction without a new revision.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func write<Value>(
        locking lock: StoreLock,
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        try self.engine.write(locking: lock, body: body)
    }

    // MARK: - Health

    /// - Throws: ``StoreError`` of kind `unusable` if this process may not write the store.
    package func requireWritable() throws {
        if case .postgreSQL(let server) = self.location, access(server.state, W_OK) != 0 {
            throw StoreError.unusable(
                "\(server.state) cannot be written by the gateway's user: chown it to that user"
            )
        }
        try self.engine.requireWritable()
    }

    /// A check of the whole database, which takes time in proportion to its size.
    /// - Returns: Nil for an intact store, otherwise what was found.
    package func integrityProblem() throws -> String? { try self.engine.integrityProblem() }
}

/// The wall clock.
extension Moment {
    /// The current time in whole seconds.
    package static var current: Moment {
        Moment(seconds: Int64(Date().timeIntervalSince1970))
    }
}
