import CPostgreSQL
import Foundation

/// A connection to PostgreSQL by libpq. Used by one thread at a time.
///
/// No function waits longer than its limit: a server that hangs, or a network that was cut, ends
/// the connection.
///
/// `@unchecked Sendable`: ``PostgreSQLPool`` lends a connection to one thread at a time, and the one
/// that is told of changes is used under a lock.
final class PostgreSQLConnection: @unchecked Sendable {
    /// The longest time in which the server must answer a statement. Longer than the time that
    /// the server lets a statement wait for a lock.
    private static let patience = Duration.seconds(15)
    /// The most prepared statements. A filter of a command can have many forms.
    private static let maximumStatements = 500

    /// libpq's connection.
    let handle: OpaquePointer
    /// The names of prepared statements, by the SQL text of operations.
    private var statements: [String: String] = [:]
    /// The number of cursors that were opened.
    var cursors = 0
    /// How long the server may take to answer.
    var patience = PostgreSQLConnection.patience
    /// The name of the audit log to which transactions append.
    let node: String
    /// The random number of this process.
    let instance: Int64
    /// The number of rows that the last statement changed.
    var changedRows = 0

    /// Connects.
    /// - Throws: ``PostgreSQLError``.
    init(_ parameters: PostgreSQLParameters, node: String, instance: Int64 = 0) throws {
        let (keys, values) = parameters.strings
        let handle = keys.withCStrings { keys in
            values.withCStrings { PQconnectdbParams(keys, $0, 0) }
        }
        guard let handle else {
            throw PostgreSQLError(code: "", description: "libpq lacks memory")
        }
        self.handle = handle
        self.node = node
        self.instance = instance
        guard PQstatus(handle) == CONNECTION_OK else {
            throw self.failure(nil)
        }
        PQsetnonblocking(handle, 1)
        for setting in Self.settings { try self.run(setting) }
    }

    /// Settings of a session.
    private static let settings = [
        "SET lock_timeout = '10s'",
        "SET client_min_messages = 'error'",
        // What was answered is stored: a weaker setting of the server is raised.
        """
        SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off'
        """,
    ]

    deinit { PQfinish(self.handle) }

    /// Whether the connection can be used, as far as this end knows.
    var isOpen: Bool { PQstatus(self.handle) == CONNECTION_OK }

    /// The socket.
    var socket: Int32 { PQsocket(self.handle) }

    // MARK: - Statements

    /// Runs SQL text of PostgreSQL, which may have several statements without arguments.
    @discardableResult
    func run(_ text: String) throws -> PostgreSQLResult {
        guard PQsendQuery(self.handle, text) == 1 else { throw self.failure(nil) }
        return try self.lastResult()
    }

    /// Runs a prepared statement.
    func result(sql: String, arguments: StoreArguments) throws -> PostgreSQLResult {
        let name = try self.prepared(sql)
        return try self.send(arguments) { count, values in
            PQsendQueryPrepared(self.handle, name, count, values, nil, nil, 0)
        }
    }

    /// The name of the prepared statement for an SQL text.
    private func prepared(_ sql: String) throws -> String {
        if let name = self.statements[sql] { return name }
        if self.statements.count >= Self.maximumStatements {
            try self.run("DEALLOCATE ALL")
            self.statements = [:]
        }
        let name = "statement\(self.statements.count)"
        let text = PostgreSQLStatement.translated(sql)
        guard PQsendPrepare(self.handle, name, text, 0, nil) == 1 else { throw self.failure(nil) }
        _ = try self.lastResult()
        self.statements[sql] = name
        return name
    }

    /// Sends a statement with its arguments, and waits for the result.
    func send(
        _ arguments: StoreArguments,
        by body: (Int32, UnsafePointer<UnsafePointer<CChar>?>) -> Int32
    ) throws -> PostgreSQLResult {
        let values = arguments.values.map { $0?.postgreSQLText }
        guard !values.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw StoreError.refused("PostgreSQL stores no text with a NUL character")
        }
        let count = Int32(values.count)
        guard values.withCStrings({ body(count, $0) }) == 1 else { throw self.failure(nil) }
        return try self.lastResult()
    }

    // MARK: - Waiting

    /// Waits for the results of what was sent.
    /// - Returns: The last one.
    private func lastResult() throws -> PostgreSQLResult {
        let deadline = ContinuousClock.now + self.patience
        try self.flush(until: deadline)
        var last: PostgreSQLResult?
        var failed: PostgreSQLResult?
        while true {
            while PQisBusy(self.handle) == 1 {
                try self.wait(for: Int16(POLLIN), until: deadline)
                guard PQconsumeInput(self.handle) == 1 else { throw self.failure(nil) }
            }
            guard let next = PQgetResult(self.handle) else { break }
            let result = PostgreSQLResult(next)
            switch PQresultStatus(next) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = result
            default: failed = result
            }
        }
        if let failed { throw self.failure(failed) }
        guard let last else { throw self.failure(nil) }
        return last
    }

    /// Writes what libpq has buffered.
    private func flush(until deadline: ContinuousClock.Instant) throws {
        while true {
            switch PQflush(self.handle) {
            case 0: return
            case 1:
                // The server may wait until its answer is read.
                try self.wait(for: Int16(POLLIN | POLLOUT), until: deadline)
                guard PQconsumeInput(self.handle) == 1 else { throw self.failure(nil) }
            default: throw self.failure(nil)
            }
        }
    }

    /// Waits until the socket is ready.
    /// - Throws: ``PostgreSQLError`` at the deadline. The connection is shut down then: its answer
    ///   would be taken for that of the next statement.
    private func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = deadline - .now
            guard left > .zero else {
                shutdown(self.socket, Int32(SHUT_RDWR))
                _ = PQconsumeInput(self.handle)
                throw PostgreSQLError(code: "", description: "the database does not answer")
            }
            var entry = pollfd(fd: self.socket, events: events, revents: 0)
            let milliseconds = Int32(min(left / .milliseconds(1) + 1, 60_000))
            if poll(&entry, 1, milliseconds) > 0 { return }
        }
    }

    /// Waits for a notification of the server.
    /// - Returns: Whether there was one.
    /// - Throws: ``PostgreSQLError`` if the connection ended.
    func waitForNotification(atMost interval: Duration) throws -> Bool {
        var isNotified = false
        var entry = pollfd(fd: self.socket, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, Int32(max(interval / .milliseconds(1), 0))) > 0 {
            guard PQconsumeInput(self.handle) == 1 else { throw self.failure(nil) }
        }
        while let notification = PQnotifies(self.handle) {
            isNotified = true
            PQfreemem(notification)
        }
        return isNotified
    }

    /// The error of a result, or of the connection.
    private func failure(_ result: PostgreSQLResult?) -> PostgreSQLError {
        let field = result.flatMap { PQresultErrorField($0.result, Int32(UInt8(ascii: "C"))) }
        let primary = result.flatMap { PQresultErrorField($0.result, Int32(UInt8(ascii: "M"))) }
        let message =
            primary.map { String(cString: $0) } ?? String(cString: PQerrorMessage(self.handle))
        return PostgreSQLError(
            code: field.map { String(cString: $0) } ?? "",
            description: message.split(separator: "\n").joined(separator: " ")
        )
    }
}

extension Array where Element == String? {
    /// Calls a function with the texts as C strings, and NULL for nil. A NULL follows the last one.
    fileprivate func withCStrings<Value>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
    ) -> Value {
        var octets: [CChar] = []
        let starts = self.map { text in
            text.map { text in
                defer { octets.append(contentsOf: text.utf8CString) }
                return octets.count
            }
        }
        return octets.withUnsafeBufferPointer { octets in
            let pointers = starts.map { start in
                start.flatMap { octets.baseAddress?.advanced(by: $0) }
            }
            return (pointers + [nil]).withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else {
                    preconditionFailure("the array has NULL")
                }
                return body(start)
            }
        }
    }
}
