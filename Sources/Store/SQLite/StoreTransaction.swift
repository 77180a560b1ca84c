import Foundation
import GRDB

/// One transaction on the store, through which operations read and write rows.
///
/// Operations are extensions of this type. They use portable SQL and import no database
/// library. The functions below, `SQLiteEngine`, `Schema` and the code that follows the store's
/// file are the only parts specific to SQLite; another engine provides the same functions. A
/// value is valid only inside the closure that receives it, on that thread.
struct StoreTransaction {
    /// GRDB's connection inside the transaction.
    let database: Database
    /// Receives each statement that ``execute(sql:arguments:)`` runs; nil for none.
    private let journal: StatementJournal?

    /// Wraps a connection that is in a transaction.
    init(_ database: Database, journal: StatementJournal? = nil) {
        self.database = database
        self.journal = journal
    }

    /// All rows of a query, in memory.
    func rows(sql: String, arguments: StoreArguments = []) throws -> [StoreRow] {
        try Row.fetchAll(self.database, sql: sql, arguments: arguments.values).map(StoreRow.init)
    }

    /// The first row of a query; nil if there is none.
    func row(sql: String, arguments: StoreArguments = []) throws -> StoreRow? {
        try Row.fetchOne(self.database, sql: sql, arguments: arguments.values).map(StoreRow.init)
    }

    /// The rows of a query, one at a time, for results that may be large.
    func cursor(sql: String, arguments: StoreArguments = []) throws -> StoreCursor {
        StoreCursor(try Row.fetchCursor(self.database, sql: sql, arguments: arguments.values))
    }

    /// The first column of the first row; nil if there is no row, and for NULL.
    func value<Value: StoreValue>(
        of type: Value.Type,
        sql: String,
        arguments: StoreArguments = []
    ) throws -> Value? {
        try Value.fetchOne(self.database, sql: sql, arguments: arguments.values)
    }

    /// The first column of each row.
    func values<Value: StoreValue>(
        of type: Value.Type,
        sql: String,
        arguments: StoreArguments = []
    ) throws -> [Value] {
        try Value.fetchAll(self.database, sql: sql, arguments: arguments.values)
    }

    /// Runs statements that return no rows.
    func execute(sql: String, arguments: StoreArguments = []) throws {
        let statement = try self.database.cachedStatement(sql: sql)
        try statement.execute(arguments: arguments.values)
        // A statement without an effect needs no repetition.
        guard let journal, self.database.changesCount > 0 else { return }
        journal.statements.append((sql, arguments))
    }

    /// A prepared statement to be run several times.
    func statement(sql: String) throws -> StoreStatement {
        StoreStatement(try self.database.cachedStatement(sql: sql))
    }

    /// The key of the last inserted row.
    var insertedKey: Int64 { self.database.lastInsertedRowID }

    /// The number of rows that the last statement changed.
    var changedRows: Int { self.database.changesCount }
}

/// The statements of a transaction on a copy, to be run again on the store.
final class StatementJournal {
    /// SQL and its arguments, in the order in which they ran.
    var statements: [(sql: String, arguments: StoreArguments)] = []
}

/// A type whose values a column can hold.
protocol StoreValue: DatabaseValueConvertible, StatementColumnConvertible {}

/// Keys, counts, and moments in seconds.
extension Int64: StoreValue {}
/// Ports and counts.
extension Int: StoreValue {}
/// UIDs and UIDVALIDITY values (RFC 9051 §2.3.1.1).
extension UInt32: StoreValue {}
/// Stored as 0 or 1; the schema rejects other numbers.
extension Bool: StoreValue {}
/// Stored as TEXT in UTF-8, and compared octet for octet by SQLite.
extension String: StoreValue {}
/// Stored as BLOB: folder paths, hashes and sealed passwords.
extension Data: StoreValue {}

/// A row, whose values are found by column name.
struct StoreRow {
    /// GRDB's row.
    private let row: Row

    /// Wraps a row; only a transaction creates rows.
    fileprivate init(_ row: Row) {
        self.row = row
    }

    /// The value of a column. Traps for NULL and for a value of another type, so use it only
    /// for columns whose schema rejects both.
    subscript<Value: StoreValue>(column: String) -> Value { self.row[column] }

    /// The value of a column; nil for NULL.
    subscript<Value: StoreValue>(column: String) -> Value? { self.row[column] }

    /// Whether the query has a column of this name.
    func hasColumn(_ name: String) -> Bool { self.row.hasColumn(name) }
}

/// The values for the placeholders of a statement, by position or by name.
struct StoreArguments: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// The values in GRDB's form.
    fileprivate private(set) var values: StatementArguments

    /// Values for the `?` of a statement, in order.
    init(arrayLiteral elements: (any StoreValue)?...) {
        self.values = StatementArguments(elements.map { $0 as (any DatabaseValueConvertible)? })
    }

    /// Values for the `:name` placeholders of a statement.
    init(dictionaryLiteral elements: (String, (any StoreValue)?)...) {
        let values = elements.map { ($0.0, $0.1 as (any DatabaseValueConvertible)?) }
        self.values = StatementArguments(Dictionary(values) { _, last in last })
    }

    /// Values for the `?` of a statement, in order.
    init(_ elements: [any StoreValue]) {
        self.values = StatementArguments(elements.map { $0 as (any DatabaseValueConvertible)? })
    }

    /// The values of both, by position.
    static func + (one: StoreArguments, other: StoreArguments) -> StoreArguments {
        var sum = one
        sum += other
        return sum
    }

    /// Appends values by position.
    static func += (one: inout StoreArguments, other: StoreArguments) {
        one.values += other.values
    }
}

/// The rows of a query, one at a time. It must not outlive its transaction.
struct StoreCursor {
    /// GRDB's cursor.
    private let rows: RowCursor

    /// Wraps a cursor; only a transaction creates cursors.
    fileprivate init(_ rows: RowCursor) {
        self.rows = rows
    }

    /// The next row; nil after the last one.
    func next() throws -> StoreRow? { try self.rows.next().map { StoreRow($0.copy()) } }
}

/// A prepared statement. It must not outlive its transaction.
struct StoreStatement {
    /// GRDB's statement, from the connection's cache.
    private let statement: Statement

    /// Wraps a statement; only a transaction creates statements.
    fileprivate init(_ statement: Statement) {
        self.statement = statement
    }

    /// Runs the statement with these values.
    func execute(arguments: StoreArguments) throws {
        try self.statement.execute(arguments: arguments.values)
    }
}
