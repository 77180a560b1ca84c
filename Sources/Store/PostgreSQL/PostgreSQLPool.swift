import Synchronization

/// Connections that are opened as they are needed, and kept for the next transaction. Safe to use
/// from several threads.
final class PostgreSQLPool: Sendable {
    /// Connections that are kept. The gateway reads the store on few threads.
    private static let maximumIdle = 4

    /// The connections that no transaction uses.
    private struct Idle {
        var connections: [PostgreSQLConnection] = []
        var isClosed = false
    }

    private let parameters: PostgreSQLParameters
    private let node: String
    /// The random number of this process.
    private let instance: Int64
    private let idle = Mutex(Idle())

    /// Creates a pool without connections.
    init(_ parameters: PostgreSQLParameters, node: String, instance: Int64) {
        self.parameters = parameters
        self.node = node
        self.instance = instance
    }

    /// Opens a connection that is not kept.
    func open() throws -> PostgreSQLConnection {
        try PostgreSQLConnection(self.parameters, node: self.node, instance: self.instance)
    }

    /// Runs a body in a transaction.
    /// - Parameters:
    ///   - begin: The statement that begins it.
    ///   - body: Its statements; if it throws, the transaction is rolled back.
    /// - Throws: ``PostgreSQLError``; errors of the body are rethrown.
    func transaction<Value>(
        _ begin: String,
        body: (PostgreSQLConnection) throws -> Value
    ) throws -> Value {
        let connection = try self.begun(begin)
        do {
            let value = try body(connection)
            // After a failed statement the server answers a COMMIT with ROLLBACK, and no error.
            guard try connection.run("COMMIT").command == "COMMIT" else {
                throw PostgreSQLError(
                    code: "25P02",
                    description: "a statement failed, and the transaction was rolled back"
                )
            }
            self.keep(connection)
            return value
        } catch {
            if connection.isOpen, (try? connection.run("ROLLBACK")) != nil { self.keep(connection) }
            throw error
        }
    }

    /// A connection with a transaction that has begun. A kept connection may have ended meanwhile:
    /// then another one takes its place.
    private func begun(_ begin: String) throws -> PostgreSQLConnection {
        while let kept = self.idle.withLock({ $0.connections.popLast() }) {
            guard kept.isOpen, (try? kept.run(begin)) != nil else { continue }
            return kept
        }
        let connection = try self.open()
        try connection.run(begin)
        return connection
    }

    /// Keeps a connection for the next transaction.
    private func keep(_ connection: PostgreSQLConnection) {
        self.idle.withLock { idle in
            guard !idle.isClosed, idle.connections.count < Self.maximumIdle else { return }
            idle.connections.append(connection)
        }
    }

    /// Closes the kept connections.
    func close() {
        self.idle.withLock { $0 = Idle(connections: [], isClosed: true) }
    }
}
