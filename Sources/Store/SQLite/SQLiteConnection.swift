import GRDB

/// GRDB's connection inside a transaction.
final class SQLiteConnection: StoreConnection {
    /// The number of statements whose pages exceed SQLite's usual cache of 2 MiB.
    private static let manyStatements = 10_000
    /// The largest cache for them, in KiB. Only a command runs so many, and ends then.
    private static let largeCache = 262_144

    /// The connection. GRDB keeps its prepared statements.
    let database: Database
    /// A file has one audit log.
    let node = ""
    /// No other node uses a file.
    let instance: Int64 = 0
    /// The number of rows that the last statement changed.
    var changedRows: Int { self.database.changesCount }

    /// Wraps a connection that is in a transaction.
    init(_ database: Database) {
        self.database = database
    }

    /// All rows of a query, in memory.
    func rows(sql: String, arguments: StoreArguments) throws -> [StoreRow] {
        let statement = try self.database.cachedStatement(sql: sql)
        let columns = SQLiteColumns(statement)
        return try Row.fetchAll(statement, arguments: arguments.ofSQLite).map {
            .sqlite(SQLiteRow(row: $0, columns: columns))
        }
    }

    /// The rows of a query, one at a time.
    func cursor(
        sql: String,
        arguments: StoreArguments,
        isForOneRow: Bool
    ) throws -> any StoreCursor {
        // A prepared statement can have one cursor at a time.
        let statement =
            try isForOneRow
            ? self.database.cachedStatement(sql: sql) : self.database.makeStatement(sql: sql)
        return SQLiteCursor(
            try Row.fetchCursor(statement, arguments: arguments.ofSQLite),
            columns: SQLiteColumns(statement)
        )
    }

    /// Calls a body with each row in place.
    func forEach(
        sql: String,
        arguments: StoreArguments,
        body: (StoreRow) throws -> Void
    ) throws {
        let statement = try self.database.makeStatement(sql: sql)
        let columns = SQLiteColumns(statement)
        let rows = try Row.fetchCursor(statement, arguments: arguments.ofSQLite)
        while let row = try rows.next() { try body(.sqlite(SQLiteRow(row: row, columns: columns))) }
    }

    /// Runs a statement that returns no rows.
    func execute(sql: String, arguments: StoreArguments) throws {
        try self.database.cachedStatement(sql: sql).execute(arguments: arguments.ofSQLite)
    }

    /// Does nothing: SQLite ends no transaction.
    func allowPauses() {}

    /// Does nothing: nobody else uses a file.
    func renewLease() {}

    /// Does nothing: SQLite has one writer at a time.
    func lock(_ lock: StoreLock) {}

    /// The last key of each table that gives keys.
    func lastKeys() throws -> [String: Int64] {
        let rows = try Row.fetchAll(self.database, sql: "SELECT name, seq FROM sqlite_sequence")
        return Dictionary(rows.map { ($0["name"], $0["seq"]) }) { first, _ in first }
    }

    /// Sets the last keys that differ. A copy of the model has the same ones.
    func continueKeys(after keys: [String: Int64]) throws {
        let present = try self.lastKeys()
        for (table, key) in keys where key > present[table] ?? 0 {
            try self.database.execute(
                sql: "DELETE FROM sqlite_sequence WHERE name = ?",
                arguments: [table]
            )
            try self.database.execute(
                sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                arguments: [table, key]
            )
        }
    }

    /// Keeps the changed pages of many statements in memory. Each statement would write pages of the
    /// indexes into the log again.
    func expect(statements: Int) throws {
        guard statements > Self.manyStatements else { return }
        try self.database.execute(sql: "PRAGMA cache_size = -\(Self.largeCache)")
    }

    /// The key that SQLite gave to the last inserted row.
    func insertedKey() -> Int64 { self.database.lastInsertedRowID }
}

/// A transaction on a connection of GRDB.
extension StoreTransaction {
    /// Wraps a connection that is in a transaction.
    init(_ database: Database, journal: StatementJournal? = nil) {
        self.init(SQLiteConnection(database), journal: journal)
    }
}

/// GRDB's cursor.
private final class SQLiteCursor: StoreCursor {
    private let rows: RowCursor
    private let columns: SQLiteColumns

    init(_ rows: RowCursor, columns: SQLiteColumns) {
        self.rows = rows
        self.columns = columns
    }

    /// The next row; nil after the last one.
    func next() throws -> StoreRow? {
        try self.rows.next().map { .sqlite(SQLiteRow(row: $0.copy(), columns: self.columns)) }
    }
}

/// GRDB's form of the values.
extension StoreArguments {
    var ofSQLite: StatementArguments {
        StatementArguments(self.values.map { $0 as (any DatabaseValueConvertible)? })
    }
}
