/// The tables in PostgreSQL, and their migrations.
///
/// Names and types correspond to the tables of SQLite, so that operations have one SQL text. Truth
/// values are the numbers 0 and 1; texts are compared octet for octet.
enum PostgreSQLSchema {
    /// Milliseconds since 1970 by the clock of the server.
    static let now = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
    /// Milliseconds without a sign of life after which a node counts as dead. Much longer than the
    /// time between two signs.
    static let lease = 3_000

    /// Tells that a node lives: its name, the random number of its process, and that number once
    /// more. Changes no row while another process with this name lives.
    static let heartbeat = """
        INSERT INTO node (name, instance, seen) VALUES (?, ?, \(now))
        ON CONFLICT (name) DO UPDATE SET instance = excluded.instance, seen = excluded.seen
        WHERE node.instance = excluded.instance OR node.seen < excluded.seen - \(lease)
        """
    /// The nodes that told that they live, within a number of milliseconds.
    static let living = "SELECT name FROM node WHERE seen > \(now) - ? ORDER BY name"
    /// Tells that a node stops: its name, and the random number of its process.
    static let end = "UPDATE node SET seen = 0 WHERE name = ? AND instance = ?"

    /// Reads the revision, its token, and the identity of the store.
    static let current = """
        SELECT revision.value AS revision, revisionToken.token, storeIdentity.id AS identity
        FROM revision LEFT JOIN revisionToken ON revisionToken.revision = revision.value
        CROSS JOIN storeIdentity
        """

    /// Each migration has a name that is never changed, and SQL text.
    private static let migrations: [(name: String, sql: String)] = [
        ("2026-11-30 first", Self.first + Self.changes + Self.versions + Self.protection),
        ("2026-11-30 audit log by node and number", Schema.nodeIndexes),
        ("2026-11-30 counts of nodes, and requests to them", Self.nodes),
        ("2026-11-30 takeover of transfers and copies", Self.takeover),
        ("2026-12-01 app passwords", Self.appPasswords),
        ("2026-12-01 groups of the directory", Self.directoryGroups),
    ]

    /// Migrates the tables to this version.
    /// - Parameter creates: Whether to create them in a database without any.
    /// - Returns: The store's identity.
    /// - Throws: ``StoreError`` of kind `unusable` for the store of a newer version, and for a
    ///   database without a store; ``PostgreSQLError``.
    static func migrate(_ pool: PostgreSQLPool, creates: Bool) throws -> FileIdentity {
        try pool.transaction("BEGIN ISOLATION LEVEL READ COMMITTED") { connection in
            let exists =
                try connection.run(
                    "SELECT to_regclass('gatepostmigration') IS NOT NULL"
                ).rows.first?.value(at: 0) as Bool?
            if exists != true {
                guard creates else {
                    throw StoreError.unusable(
                        "the database has no store: gatepost store create, or gatepost store migrate"
                    )
                }
                // Two commands at once: the second one waits here.
                try connection.run("SELECT pg_advisory_xact_lock(7236836)")
                try connection.run(
                    "CREATE TABLE IF NOT EXISTS gatepostMigration (name text PRIMARY KEY)"
                )
            }
            let applied = Set(try self.applied(connection))
            guard applied.isSubset(of: self.migrations.map(\.name)) else {
                throw StoreError.unusable(
                    "the database has the store of a newer version of gatepost: install that "
                        + "version, or restore a backup from before the update"
                )
            }
            if applied.count < self.migrations.count {
                try connection.run("SELECT pg_advisory_xact_lock(7236836)")
                let present = Set(try self.applied(connection))
                for (name, sql) in self.migrations where !present.contains(name) {
                    try connection.run(PostgreSQLStatement.translated(sql))
                    try connection.execute(
                        sql: "INSERT INTO gatepostMigration VALUES (?)",
                        arguments: [name]
                    )
                }
            }
            return try self.identity(StoreTransaction(connection))
        }
    }

    private static func applied(_ connection: PostgreSQLConnection) throws -> [String] {
        try connection.run("SELECT name FROM gatepostMigration").rows.compactMap { $0.value(at: 0) }
    }

    /// The random number that the database got with its tables.
    static func identity(_ transaction: StoreTransaction) throws -> FileIdentity {
        let id = try transaction.value(of: Int64.self, sql: "SELECT id FROM storeIdentity")
        return FileIdentity(device: 0, inode: UInt64(bitPattern: id ?? 0))
    }
}
