import Foundation
import GRDB

/// One transaction on a store: what operations read and write rows through.
///
/// Operations are extensions of this type, in SQL that names no engine, and import none. What is below is all
/// that they need of one: it is SQLite's part, with `SQLiteEngine`, `Schema` and what follows the store's file. Another
/// engine gives the same functions.
struct StoreTransaction {
    let database: Database

    init(_ database: Database) {
        self.database = database
    }

    /// All rows of a query.
    func rows(sql: String, arguments: StoreArguments = []) throws -> [StoreRow] {
        try Row.fetchAll(self.database, sql: sql, arguments: arguments.values).map(StoreRow.init)
    }

    /// The first row of a query.
    func row(sql: String, arguments: StoreArguments = []) throws -> StoreRow? {
        try Row.fetchOne(self.database, sql: sql, arguments: arguments.values).map(StoreRow.init)
    }

    /// The rows of a query, one at a time.
    func cursor(sql: String, arguments: StoreArguments = []) throws -> StoreCursor {
        StoreCursor(try Row.fetchCursor(self.database, sql: sql, arguments: arguments.values))
    }

    /// The first column of the first row; nil without a row, and for NULL.
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

    /// Runs a statement that gives no rows.
    func execute(sql: String, arguments: StoreArguments = []) throws {
        try self.database.execute(sql: sql, arguments: arguments.values)
    }

    /// A statement to be run several times.
    func statement(sql: String) throws -> StoreStatement {
        StoreStatement(try self.database.cachedStatement(sql: sql))
    }

    /// The key of the row that was inserted last.
    var insertedKey: Int64 { self.database.lastInsertedRowID }

    /// Rows that the last statement changed.
    var changedRows: Int { self.database.changesCount }
}

/// A value that a column holds.
protocol StoreValue: DatabaseValueConvertible, StatementColumnConvertible {}

extension Int64: StoreValue {}
extension Int: StoreValue {}
extension UInt32: StoreValue {}
extension Bool: StoreValue {}
extension String: StoreValue {}
extension Data: StoreValue {}

/// A row, by the names of its columns.
struct StoreRow {
    private let row: Row

    fileprivate init(_ row: Row) {
        self.row = row
    }

    /// The schema keeps NULL, and values of another kind, out of the column.
    subscript<Value: StoreValue>(column: String) -> Value { self.row[column] }

    /// Nil for NULL.
    subscript<Value: StoreValue>(column: String) -> Value? { self.row[column] }

    func hasColumn(_ name: String) -> Bool { self.row.hasColumn(name) }
}

/// Values for the marks of a statement: in their order, or by name.
struct StoreArguments: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    fileprivate private(set) var values: StatementArguments

    init(arrayLiteral elements: (any StoreValue)?...) {
        self.values = StatementArguments(elements.map { $0 as (any DatabaseValueConvertible)? })
    }

    init(dictionaryLiteral elements: (String, (any StoreValue)?)...) {
        let values = elements.map { ($0.0, $0.1 as (any DatabaseValueConvertible)?) }
        self.values = StatementArguments(Dictionary(values) { _, last in last })
    }

    init(_ elements: [any StoreValue]) {
        self.values = StatementArguments(elements.map { $0 as (any DatabaseValueConvertible)? })
    }

    static func + (one: StoreArguments, other: StoreArguments) -> StoreArguments {
        var sum = one
        sum += other
        return sum
    }

    static func += (one: inout StoreArguments, other: StoreArguments) {
        one.values += other.values
    }
}

/// Rows that come one at a time.
struct StoreCursor {
    private let rows: RowCursor

    fileprivate init(_ rows: RowCursor) {
        self.rows = rows
    }

    /// - Returns: nil behind the last one.
    func next() throws -> StoreRow? { try self.rows.next().map { StoreRow($0.copy()) } }
}

/// A statement that is run several times.
struct StoreStatement {
    private let statement: Statement

    fileprivate init(_ statement: Statement) {
        self.statement = statement
    }

    func execute(arguments: StoreArguments) throws {
        try self.statement.execute(arguments: arguments.values)
    }
}
