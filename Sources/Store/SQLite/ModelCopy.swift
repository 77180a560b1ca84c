import GRDB

/// A copy of the model in memory, on which changes are tried without a lock of the store.
enum ModelCopy {
    /// Tables that a document has nothing of. They may be large.
    private static let left: Set<String> = [
        "audit", "auditSeal", "revisionToken", "subscription", "transfer", "transferCopy",
        "copyLeft", "notice",
        "directoryUnknown", "stage", "rowChange", "rowChangeStart", "grdb_migrations",
    ]

    /// Runs a body on a copy of the model.
    /// - Parameter fill: Copies the rows of ``tables(of:)``, and the table `sqlite_sequence`.
    static func run<Value>(
        _ body: (StoreTransaction) throws -> Value,
        fill: (Database) throws -> Void
    ) throws -> (value: Value, plan: StorePlan) {
        var configuration = Configuration()
        // Rows are copied table by table.
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(10)
        let copy = try DatabaseQueue(configuration: configuration)
        defer { try? copy.close() }
        try Schema.migrator.migrate(copy)
        let journal = StatementJournal()
        let (value, keys) = try copy.writeWithoutTransaction { database in
            for name in try String.fetchAll(
                database,
                sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ) {
                try database.execute(sql: "DROP TRIGGER \"\(name)\"")
            }
            try fill(database)
            let keys = try SQLiteConnection(database).lastKeys()
            try database.execute(sql: "PRAGMA foreign_keys = ON")
            var result: Value?
            try database.inTransaction {
                result = try body(StoreTransaction(database, journal: journal))
                return .commit
            }
            return (result, keys)
        }
        guard let value else { throw StoreError.unusable("the copy of the store failed") }
        return (value, StorePlan(statements: journal.statements, keys: keys))
    }

    /// The names of the tables that a document is made of.
    static func tables(of database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).filter { !Self.left.contains($0) }
    }

    /// Copies the rows of the model of another engine, and the next keys.
    /// - Parameter source: A read transaction there.
    static func fill(
        _ database: Database,
        from source: StoreTransaction,
        grantsOn accounts: Set<Int64>?
    ) throws {
        try database.inTransaction {
            for table in try self.tables(of: database) {
                try database.execute(sql: "DELETE FROM \"\(table)\"")
                let columns = try database.columns(in: table).map(\.name)
                let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
                let marks = columns.map { _ in "?" }.joined(separator: ", ")
                let insert = try database.makeStatement(
                    sql: "INSERT INTO \"\(table)\" (\(names)) VALUES (\(marks))"
                )
                let filter = Self.filter(table, accounts: accounts)
                let rows = try source.cursor(
                    sql: """
                        SELECT \(names.lowercased()) FROM "\(table.lowercased())" \(filter.clause)
                        """,
                    arguments: filter.arguments
                )
                while let row = try rows.next() {
                    let values = row.cells.map { $0 as (any DatabaseValueConvertible)? }
                    try insert.execute(arguments: StatementArguments(values))
                }
            }
            try database.execute(sql: "DELETE FROM sqlite_sequence")
            for (table, key) in try source.connection.lastKeys() {
                try database.execute(
                    sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                    arguments: [table, key]
                )
            }
            return .commit
        }
    }
}

extension ModelCopy {
    /// The rows of a table that a copy has.
    /// - Parameter accounts: The accounts whose grants it has; nil for all.
    fileprivate static func filter(_ table: String, accounts: Set<Int64>?) -> RowFilter {
        guard table == "grant", let accounts else { return .all }
        return RowFilter("account", in: accounts)
    }
}

/// The copy of a file.
extension SQLiteEngine {
    /// Copies the model in one read transaction, and runs a body on the copy. The store is not
    /// locked for writing, and may be written meanwhile. Triggers do not run in the copy.
    func tryOnCopy<Value>(
        grantsOn accounts: Set<Int64>?,
        body: (StoreTransaction) throws -> Value
    ) throws -> (value: Value, plan: StorePlan) {
        try SQLiteDatabase.explaining {
            try ModelCopy.run(body) { try self.fill($0, grantsOn: accounts) }
        }
    }

    /// Copies the rows of the model, and the next keys.
    private func fill(_ database: Database, grantsOn accounts: Set<Int64>?) throws {
        let tables = try ModelCopy.tables(of: database)
        try database.execute(sql: "ATTACH DATABASE ? AS store", arguments: [self.path])
        guard StoreFiles(path: self.path).database == self.current.files.database else {
            throw StoreError.replaced
        }
        try database.inTransaction(.deferred) {
            for table in tables {
                let columns = try database.columns(in: table).map { "\"\($0.name)\"" }
                    .joined(separator: ", ")
                try database.execute(sql: "DELETE FROM main.\"\(table)\"")
                let filter = ModelCopy.filter(table, accounts: accounts)
                try database.execute(
                    sql: """
                        INSERT INTO main."\(table)" (\(columns))
                        SELECT \(columns) FROM store."\(table)" \(filter.clause)
                        """,
                    arguments: filter.arguments.ofSQLite
                )
            }
            try database.execute(sql: "DELETE FROM main.sqlite_sequence")
            try database.execute(
                sql: "INSERT INTO main.sqlite_sequence SELECT name, seq FROM store.sqlite_sequence"
            )
            return .commit
        }
        try database.execute(sql: "DETACH DATABASE store")
    }
}
