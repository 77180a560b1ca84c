import Access
import Foundation
import Synchronization

/// A store in a database of PostgreSQL, which several nodes share.
///
/// A write transaction first takes the row of its lock (``StoreLock``), so that what it reads is
/// not changed by another node until its end. Reads see one state of the database.
final class PostgreSQLEngine: StoreEngine {
    /// What is in force, and the connection that is told of changes.
    struct State {
        /// One more for each older state that an administrator confirmed.
        var generation = 0
        /// The state of the database when it was read last; nil until the first read.
        var inForce: StoreState?
        /// The state that is refused until an administrator confirms it.
        var waiting: AcceptedStore?
        /// The state that an administrator confirmed.
        var accepted: AcceptedStore?
    }

    /// The connection that is told of changes. One thread uses it.
    struct Listener {
        var connection: PostgreSQLConnection?
        /// When the node told last that it lives.
        var beat: ContinuousClock.Instant?
    }

    /// The connections for transactions.
    let pool: PostgreSQLPool
    /// The random number that the database got with its tables.
    let identity: FileIdentity?
    /// Where the database is, without the password.
    let place: String
    /// A random number of this process: another process with the name of this node has another.
    let instance = Int64.random(in: 1..<Int64.max)
    let state = Mutex(State())
    let listener = Mutex(Listener())

    /// Connects, and migrates the tables to this version.
    /// - Parameter creates: Whether to create the tables in a database without any.
    /// - Throws: ``StoreError`` of kind `unusable`.
    init(_ server: PostgreSQLServer, creates: Bool) throws {
        let parameters = try PostgreSQLParameters(server)
        let pool = PostgreSQLPool(parameters, node: server.node, instance: self.instance)
        self.place = parameters.place
        self.pool = pool
        do {
            self.identity = try PostgreSQLSchema.migrate(pool, creates: creates)
        } catch let error as PostgreSQLError {
            throw StoreError.unusable(
                "the \(parameters.place) cannot be opened as a store (\(error)): check store: in "
                    + "gatepost.yaml, and the database server"
            )
        }
    }

    /// Runs a body and translates PostgreSQL's errors.
    func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as PostgreSQLError {
            throw error.explained
        }
    }

    /// Runs a read transaction, which sees one state of the database.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try self.explaining {
            try self.pool.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
                try body(StoreTransaction($0))
            }
        }
    }

    /// Begins a write transaction. One whose node was cut off must not hold its locks.
    private static let beginning = """
        BEGIN ISOLATION LEVEL READ COMMITTED;
        SET LOCAL idle_in_transaction_session_timeout = '10s'
        """

    /// Runs a write transaction.
    func write<Value>(
        locking lock: StoreLock,
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        try self.explaining {
            try self.pool.transaction(Self.beginning) { connection in
                try connection.lock(lock)
                let value = try body(StoreTransaction(connection))
                if lock == .model { try connection.run("NOTIFY \(PostgreSQLTables.channel)") }
                return value
            }
        }
    }

    /// The exchange with the other nodes, for the gateway of this process.
    func exchange() -> NodeExchange? { NodeExchange(self.pool, instance: self.instance) }

    /// Does nothing: the database has the edit.
    func settle(removesSecrets: Bool) {}

    /// Tells that this node stops, and closes the connections that no transaction uses.
    func close() {
        self.listener.withLock { listener in
            if let connection = listener.connection {
                try? connection.execute(
                    sql: PostgreSQLSchema.end,
                    arguments: [connection.node, self.instance]
                )
                try? connection.execute(
                    sql: PostgreSQLSchema.endConnections,
                    arguments: [self.instance]
                )
            }
            listener.connection = nil
        }
        self.pool.close()
    }

    /// Requires the primary server, and the right to write.
    func requireWritable() throws {
        try self.write(locking: .model) { _ in }
    }

    /// Reads every row: the server verifies its pages, if it has checksums.
    func integrityProblem() throws -> String? {
        do {
            try self.read { transaction in
                for table in StoreTables.copied {
                    let rows = try transaction.cursor(
                        sql: "SELECT * FROM \"\(table.lowercased())\""
                    )
                    while try rows.next() != nil {}
                }
            }
            return nil
        } catch let error as StoreError {
            return error.description
        }
    }

    /// Runs a body on a copy of the model in memory.
    func tryOnCopy<Value>(
        grantsOn accounts: Set<Int64>?,
        body: (StoreTransaction) throws -> Value
    ) throws -> (value: Value, plan: StorePlan) {
        try SQLiteDatabase.explaining {
            try ModelCopy.run(body) { database in
                try self.read { try ModelCopy.fill(database, from: $0, grantsOn: accounts) }
            }
        }
    }
}
