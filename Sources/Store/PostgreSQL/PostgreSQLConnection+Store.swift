import CPostgreSQL

/// The connection as transactions use it.
extension PostgreSQLConnection: StoreConnection {
    /// The rows that a cursor reads at once.
    private static let batch = 1_000

    /// All rows of a query, in memory.
    func rows(sql: String, arguments: StoreArguments) throws -> [StoreRow] {
        try self.result(sql: sql, arguments: arguments).rows.map(StoreRow.postgreSQL)
    }

    /// The rows of a query, one at a time.
    func cursor(
        sql: String,
        arguments: StoreArguments,
        isForOneRow: Bool
    ) throws -> any StoreCursor {
        guard !isForOneRow else {
            return PostgreSQLCursor(try self.result(sql: sql, arguments: arguments).rows)
        }
        self.cursors += 1
        let name = "cursor\(self.cursors)"
        let text = PostgreSQLStatement.translated("DECLARE \(name) NO SCROLL CURSOR FOR \(sql)")
        _ = try self.send(arguments) { count, values in
            PQsendQueryParams(self.handle, text, count, nil, values, nil, nil, 0)
        }
        return PostgreSQLCursor {
            try self.run("FETCH \(Self.batch) FROM \(name)").rows
        }
    }

    /// Runs a statement that returns no rows.
    func execute(sql: String, arguments: StoreArguments) throws {
        self.changedRows = try self.result(sql: sql, arguments: arguments).changedRows
    }

    /// The key that the server gave to the last inserted row.
    func insertedKey() throws -> Int64 {
        let row = try self.run("SELECT lastval()").rows.first
        guard let key: Int64 = row?.value(at: 0) else {
            throw PostgreSQLError(code: "55000", description: "no row was inserted")
        }
        return key
    }

    /// The last key of each table that gives keys.
    func lastKeys() throws -> [String: Int64] {
        var keys: [String: Int64] = [:]
        for table in PostgreSQLTables.withKeys {
            let row = try self.result(
                sql: """
                    SELECT coalesce(pg_sequence_last_value(
                        CAST(pg_get_serial_sequence(?, 'id') AS regclass)), 0)
                    """,
                arguments: ["\"\(table.lowercased())\""]
            ).rows.first
            keys[table] = row?.value(at: 0) ?? 0
        }
        return keys
    }

    /// Sets the sequences of the tables.
    func continueKeys(after keys: [String: Int64]) throws {
        for (table, key) in keys where PostgreSQLTables.withKeys.contains(table) {
            _ = try self.result(
                sql: "SELECT setval(pg_get_serial_sequence(?, 'id'), ?, ?)",
                arguments: ["\"\(table.lowercased())\"", max(key, 1), key > 0 ? "true" : "false"]
            )
        }
    }

    /// Lets the transaction wait between two statements for as long as it wants.
    func allowPauses() throws {
        try self.run("SET LOCAL idle_in_transaction_session_timeout = 0")
    }

    /// Waits for the row of a lock, until the end of the transaction.
    func lock(_ lock: StoreLock) throws {
        guard let name = self.name(of: lock) else { return }
        let sql = "SELECT 1 FROM storeLock WHERE name = ? FOR UPDATE"
        guard try self.result(sql: sql, arguments: [name]).count == 0 else { return }
        try self.execute(
            sql: "INSERT INTO storeLock (name) VALUES (?) ON CONFLICT DO NOTHING",
            arguments: [name]
        )
        _ = try self.result(sql: sql, arguments: [name])
    }

    /// The name of a lock's row; nil for no lock.
    private func name(of lock: StoreLock) -> String? {
        switch lock {
        case .model: "model"
        case .auditLog(let node): "audit \(node ?? self.node)"
        case .journal: "journal"
        case .none: nil
        }
    }

    /// Tells that the node lives.
    /// - Throws: ``StoreError`` of kind `unusable` if another process has the node's name.
    func renewLease() throws {
        try self.execute(sql: PostgreSQLSchema.heartbeat, arguments: [self.node, self.instance])
        guard self.changedRows == 1 else {
            throw StoreError.unusable("another process has the name of this node, \(self.node)")
        }
    }
}

/// The rows of a query, read in batches.
private final class PostgreSQLCursor: StoreCursor {
    private var rows: ArraySlice<PostgreSQLRow>
    /// Reads the next batch; nil after the last one.
    private var more: (() throws -> [PostgreSQLRow])?

    /// A cursor on rows in memory.
    init(_ rows: [PostgreSQLRow]) {
        self.rows = rows[...]
    }

    /// A cursor that reads batches.
    init(_ more: @escaping () throws -> [PostgreSQLRow]) {
        self.rows = []
        self.more = more
    }

    /// The next row; nil after the last one.
    func next() throws -> StoreRow? {
        if self.rows.isEmpty, let more = self.more {
            self.rows = try more()[...]
            if self.rows.isEmpty { self.more = nil }
        }
        return self.rows.popFirst().map(StoreRow.postgreSQL)
    }
}
