import GRDB

/// A copy of the model in memory, on which changes are tried without a lock of the store.
extension SQLiteEngine {
    /// Tables that a document has nothing of. They may be large.
    private static let left: Set<String> = [
        "audit", "auditSeal", "subscription", "transfer", "transferCopy", "copyLeft", "notice",
        "stage", "rowChange", "rowChangeStart", "grdb_migrations",
    ]

    /// Copies the model in one read transaction, and runs a body on the copy. The store is not
    /// locked for writing, and may be written meanwhile.
    ///
    /// The copy gives new rows the same keys as the store would, so the statements of the body
    /// have the same effect there as long as the store has the same revision. Triggers do not
    /// run in the copy.
    /// - Parameter path: The path of the store.
    /// - Returns: The result of the body, and the statements with an effect.
    /// - Throws: ``StoreError/replaced`` if another file is at the path; errors of the body are
    ///   rethrown.
    func tryOnCopy<Value>(
        _ path: String,
        body: (StoreTransaction) throws -> Value
    ) throws -> (value: Value, statements: [(sql: String, arguments: StoreArguments)]) {
        var configuration = Configuration()
        // Rows are copied table by table.
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(10)
        let copy = try DatabaseQueue(configuration: configuration)
        defer { try? copy.close() }
        try Schema.migrator.migrate(copy)
        let journal = StatementJournal()
        let value = try copy.writeWithoutTransaction { database in
            try self.fill(database, from: path)
            try database.execute(sql: "PRAGMA foreign_keys = ON")
            var result: Value?
            try database.inTransaction {
                result = try body(StoreTransaction(database, journal: journal))
                return .commit
            }
            return result
        }
        guard let value else { throw StoreError.unusable("the copy of the store failed") }
        return (value, journal.statements)
    }

    /// Copies the rows of the model, and the next keys.
    private func fill(_ database: Database, from path: String) throws {
        let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for name in try String.fetchAll(database, sql: triggers) {
            try database.execute(sql: "DROP TRIGGER \"\(name)\"")
        }
        let tables = try String.fetchAll(
            database,
            sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).filter { !Self.left.contains($0) }
        try database.execute(sql: "ATTACH DATABASE ? AS store", arguments: [path])
        guard StoreFiles(path: path).database == self.files.database else {
            throw StoreError.replaced
        }
        try database.inTransaction(.deferred) {
            for table in tables {
                let columns = try database.columns(in: table).map { "\"\($0.name)\"" }
                    .joined(separator: ", ")
                try database.execute(sql: "DELETE FROM main.\"\(table)\"")
                try database.execute(
                    sql: """
                        INSERT INTO main."\(table)" (\(columns))
                        SELECT \(columns) FROM store."\(table)"
                        """
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
