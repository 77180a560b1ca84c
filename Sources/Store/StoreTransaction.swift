import Foundation

/// One transaction on the store, through which operations read and write rows.
///
/// Operations are extensions of this type. They use SQL that all engines accept, and import no
/// database library. A value is valid only inside the closure that receives it, on that thread.
///
/// What SQL all engines accept: `?` for values; `IS NOT DISTINCT FROM` for
/// comparisons with NULL; `ON CONFLICT` for rows that may exist; a `CAST` around a value that is
/// compared with nothing but NULL; and truth values as the numbers 0 and 1.
struct StoreTransaction {
    /// The engine's connection inside the transaction.
    let connection: any StoreConnection
    /// Receives each statement that ``execute(sql:arguments:)`` runs; nil for none.
    private let journal: StatementJournal?

    /// Wraps a connection that is in a transaction.
    init(_ connection: any StoreConnection, journal: StatementJournal? = nil) {
        self.connection = connection
        self.journal = journal
    }

    /// All rows of a query, in memory.
    func rows(sql: String, arguments: StoreArguments = []) throws -> [StoreRow] {
        try self.connection.rows(sql: sql, arguments: arguments)
    }

    /// Calls a body with each row of a query. A row is valid only inside the body: a large result
    /// takes no memory.
    func forEach(
        sql: String,
        arguments: StoreArguments = [],
        body: (StoreRow) throws -> Void
    ) throws {
        try self.connection.forEach(sql: sql, arguments: arguments, body: body)
    }

    /// The first row of a query; nil if there is none.
    func row(sql: String, arguments: StoreArguments = []) throws -> StoreRow? {
        try self.connection.cursor(sql: sql, arguments: arguments, isForOneRow: true).next()
    }

    /// The rows of a query, one at a time, for results that may be large.
    func cursor(sql: String, arguments: StoreArguments = []) throws -> any StoreCursor {
        try self.connection.cursor(sql: sql, arguments: arguments, isForOneRow: false)
    }

    /// The first column of the first row; nil if there is no row, and for NULL.
    func value<Value: StoreValue>(
        of type: Value.Type,
        sql: String,
        arguments: StoreArguments = []
    ) throws -> Value? {
        try self.row(sql: sql, arguments: arguments)?.first()
    }

    /// The first column of each row.
    func values<Value: StoreValue>(
        of type: Value.Type,
        sql: String,
        arguments: StoreArguments = []
    ) throws -> [Value] {
        try self.rows(sql: sql, arguments: arguments).compactMap { $0.first() }
    }

    /// Runs a statement that returns no rows.
    func execute(sql: String, arguments: StoreArguments = []) throws {
        try self.connection.execute(sql: sql, arguments: arguments)
        // A statement without an effect needs no repetition.
        guard let journal, self.connection.changedRows > 0 else { return }
        journal.statements.append((sql, arguments))
    }

    /// Runs statements that were tried on a copy of the same revision.
    func run(_ plan: StorePlan, progress: StoreProgress = .none) throws {
        try self.connection.continueKeys(after: plan.keys)
        try self.connection.expect(statements: plan.statements.count)
        for (index, (sql, arguments)) in plan.statements.enumerated() {
            progress.advance("writing the changes", done: index, of: plan.statements.count)
            try self.execute(sql: sql, arguments: arguments)
        }
    }

    /// The key of the last inserted row.
    func insertedKey() throws -> Int64 { try self.connection.insertedKey() }

    /// The number of rows that the last statement changed.
    var changedRows: Int { self.connection.changedRows }
}

/// The statements of a transaction on a copy, to be run again on the store.
final class StatementJournal {
    /// SQL and its arguments, in the order in which they ran.
    var statements: [(sql: String, arguments: StoreArguments)] = []
}

/// An engine's connection inside a transaction. Statements are prepared once for each SQL text.
protocol StoreConnection: AnyObject {
    /// The name of the audit log to which transactions append; empty for the only one.
    var node: String { get }
    /// A random number of this process; 0 for a store that no other node uses.
    var instance: Int64 { get }
    /// The number of rows that the last statement changed.
    var changedRows: Int { get }
    /// Lets a write transaction wait between two statements for longer than a few seconds.
    func allowPauses() throws
    /// Waits until no other write transaction holds a lock, and takes it.
    func lock(_ lock: StoreLock) throws
    /// Tells the other nodes that this process lives.
    /// - Throws: ``StoreError`` if another process has this node's name.
    func renewLease() throws
    /// All rows of a query, in memory.
    func rows(sql: String, arguments: StoreArguments) throws -> [StoreRow]
    /// The rows of a query, one at a time. Other statements may run meanwhile.
    /// - Parameter isForOneRow: Whether only the first row is read.
    func cursor(
        sql: String,
        arguments: StoreArguments,
        isForOneRow: Bool
    ) throws -> any StoreCursor
    /// Calls a body with each row of a query, which may be valid only inside the body. The body may
    /// run other statements, and the same one.
    func forEach(
        sql: String,
        arguments: StoreArguments,
        body: (StoreRow) throws -> Void
    ) throws
    /// Runs a statement that returns no rows.
    func execute(sql: String, arguments: StoreArguments) throws
    /// The last key of each table that gives keys.
    func lastKeys() throws -> [String: Int64]
    /// Makes the engine give the keys after these to the next rows.
    /// - Parameter keys: The last key by table.
    func continueKeys(after keys: [String: Int64]) throws
    /// Prepares for a number of statements that write, in this transaction.
    func expect(statements: Int) throws
    /// The key that the engine gave to the last inserted row.
    func insertedKey() throws -> Int64
}

extension StoreConnection {
    /// Needs no preparation.
    func expect(statements: Int) {}

    /// Reads the rows with a cursor.
    func forEach(
        sql: String,
        arguments: StoreArguments,
        body: (StoreRow) throws -> Void
    ) throws {
        let rows = try self.cursor(sql: sql, arguments: arguments, isForOneRow: false)
        while let row = try rows.next() { try body(row) }
    }
}

/// The rows of a query, one at a time. It must not outlive its transaction.
protocol StoreCursor: AnyObject {
    /// The next row; nil after the last one.
    func next() throws -> StoreRow?
}

/// What a write transaction reads before it writes, and nobody else may change until its end.
/// SQLite has one writer at a time, whatever the lock.
enum StoreLock: Equatable, Sendable {
    /// The model: users, groups, accounts and rules. For each edit.
    case model
    /// The audit log of a node; nil for this one.
    case auditLog(of: String?)
    /// The journal of transfers, and what the nodes take over from each other.
    case journal
    /// Nothing: for rows that no other transaction changes.
    case none

    /// The audit log of this node.
    static let auditLog = StoreLock.auditLog(of: nil)
}

/// The statements that were tried on a copy.
struct StorePlan {
    /// SQL and its arguments, in the order in which they ran.
    var statements: [(sql: String, arguments: StoreArguments)]
    /// The last key of each table that gives keys, when the copy was made.
    var keys: [String: Int64] = [:]
}
