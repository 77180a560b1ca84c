package import Access
import Foundation
import Synchronization

/// A gateway's exchange with the other nodes: counts that add up, and requests of commands.
///
/// It has a connection of its own, so that it delays no change of the store. Each gateway numbers
/// the batches that it writes, and reads the batches of the others that it has not read. After a
/// failure, and after a pause, it writes and reads everything. One thread uses it.
package final class NodeExchange: Sendable {
    /// How long the server may take to answer.
    private static let patience = Duration.seconds(3)
    /// The longest pause between two exchanges after which the rows of counts that are over can
    /// still be read.
    private static let longestPause = Duration.milliseconds(PostgreSQLSchema.countRest / 2)
    /// The time between two attempts to clean the table.
    private static let cleaningInterval = Duration.seconds(60)
    /// The longest count in milliseconds: an hour of sending. If the clock of the database was set
    /// back, none lasts longer.
    private static let longestCount: Int64 = 3_600_000
    /// The largest count that is read, so that no sum overflows. Every limit is smaller.
    private static let largestCount = Int(Int32.max)
    /// Rows of one statement.
    private static let rowsOfStatement = 5_000

    /// What is known of the process of another gateway.
    private struct Known {
        /// The last batch that was read.
        var batch: Int64
        var isLiving: Bool
    }

    /// The batches of another gateway that were not read.
    private struct NewBatches {
        var instance: Int64
        /// The last batch that was read.
        var after: Int64
        /// The last one that is there.
        var through: Int64
    }

    private struct State {
        var connection: PostgreSQLConnection?
        /// Whether everything is to be written and read.
        var isFirst = true
        /// The last batch of this process.
        var batch: Int64 = 0
        /// The processes of other gateways.
        var known: [Int64: Known] = [:]
        var exchanged: ContinuousClock.Instant?
        var cleaned: ContinuousClock.Instant?
        /// Whether the last cleaning left rows that are over.
        var isCleaning = false
    }

    private let pool: PostgreSQLPool
    /// The random number of this process.
    private let instance: Int64
    private let state = Mutex(State())

    /// Creates an exchange that is not connected.
    init(_ pool: PostgreSQLPool, instance: Int64) {
        self.pool = pool
        self.instance = instance
    }

    // MARK: - Counts

    /// Writes counts of this gateway, and reads those of the others that changed.
    /// - Parameter changes: The counts to write. It receives whether the database may lack those
    ///   that were written before.
    /// - Throws: ``StoreError``; the next exchange writes and reads everything.
    package func exchange(_ changes: (Bool) -> [NodeCount]) throws -> NodeReport {
        self.state.withLock { state in
            guard let last = state.exchanged, .now - last > Self.longestPause else { return }
            state.connection = nil
        }
        return try self.connected { connection, state in
            // First: a table that is too large to be read in time would never be cleaned otherwise.
            try self.clean(connection, state: &state)
            let isFirst = state.isFirst
            let counts = changes(isFirst)
            if isFirst || !counts.isEmpty { try self.write(counts, to: connection, state: &state) }
            var report = NodeReport(isWhole: isFirst)
            try self.read(connection, state: &state, report: &report)
            state.isFirst = false
            state.exchanged = .now
            return report
        }
    }

    /// Writes a batch.
    private func write(
        _ counts: [NodeCount],
        to connection: PostgreSQLConnection,
        state: inout State
    ) throws {
        let batch = state.batch + 1
        try connection.run("BEGIN")
        if state.isFirst {
            try connection.execute(
                sql: PostgreSQLSchema.endCounts,
                arguments: [batch, self.instance]
            )
        }
        for start in stride(from: 0, to: counts.count, by: Self.rowsOfStatement) {
            let part = counts[start...].prefix(Self.rowsOfStatement)
            try connection.execute(
                sql: PostgreSQLSchema.writeCounts,
                arguments: [
                    self.instance, batch, Self.list(part.map(\.row.key.kind.rawValue)),
                    Self.list(part.map(\.row.key.name)), Self.list(part.map(\.row.part)),
                    Self.list(part.map { Int64($0.count) }),
                    Self.list(part.map(Self.remaining)),
                ]
            )
        }
        try connection.execute(
            sql: PostgreSQLSchema.writeBatch,
            arguments: [self.instance, batch]
        )
        try connection.run("COMMIT")
        state.batch = batch
    }

    /// The milliseconds until a count's row may be removed; negative for connections.
    private static func remaining(_ count: NodeCount) -> Int64 {
        count.count == 0 ? Int64(PostgreSQLSchema.countRest) : count.remaining ?? -1
    }

    /// Reads what the other gateways wrote.
    private func read(
        _ connection: PostgreSQLConnection,
        state: inout State,
        report: inout NodeReport
    ) throws {
        let rows = try connection.result(sql: PostgreSQLSchema.batches, arguments: []).rows
        var later: [NewBatches] = []
        var isForgotten = state.batch > 0
        for row in rows {
            let (instance, batch): (Int64, Int64) = (row.required(at: 0), row.required(at: 1))
            let isLiving: Bool = row.required(at: 2)
            guard instance != self.instance else {
                isForgotten = isLiving && state.known[instance]?.isLiving == false
                state.known[instance] = Known(batch: batch, isLiving: isLiving)
                continue
            }
            var known = state.known[instance] ?? Known(batch: 0, isLiving: isLiving)
            if known.isLiving, !isLiving { report.ended.insert(instance) }
            // Its connections count again.
            if !known.isLiving, isLiving { known.batch = 0 }
            known.isLiving = isLiving
            state.known[instance] = known
            guard batch > known.batch else { continue }
            later.append(NewBatches(instance: instance, after: known.batch, through: batch))
        }
        // Other nodes may have removed what this one wrote, because it did not tell that it lives.
        if isForgotten { state.connection = nil }
        guard !later.isEmpty else { return }
        try self.read(connection, batches: later, state: &state, report: &report)
    }

    /// Reads the counts of gateways in new batches.
    private func read(
        _ connection: PostgreSQLConnection,
        batches: [NewBatches],
        state: inout State,
        report: inout NodeReport
    ) throws {
        let rows = try connection.result(
            sql: PostgreSQLSchema.countsAfter,
            arguments: [Self.list(batches.map(\.instance)), Self.list(batches.map(\.after))]
        ).rows
        // A batch of which nothing is left was read, too.
        for new in batches { state.known[new.instance]?.batch = new.through }
        report.counts.reserveCapacity(rows.count)
        for row in rows {
            let (instance, batch): (Int64, Int64) = (row.required(at: 0), row.required(at: 5))
            guard let known = state.known[instance] else { continue }
            state.known[instance]?.batch = max(known.batch, batch)
            // A newer version may count something else.
            guard let kind = NodeCount.Kind(rawValue: row.required(at: 1)) else { continue }
            let remaining = (row.value(at: 6) as Int64?).map { min($0, Self.longestCount) }
            guard remaining != nil || known.isLiving else { continue }
            let count = NodeCount(
                NodeCount.Row(kind, name: row.required(at: 2), part: row.required(at: 3)),
                count: min(max(row.required(at: 4), 0), Self.largestCount),
                remaining: remaining
            )
            report.counts.append((instance, count))
        }
    }

    /// Removes rows that are over. Once a minute, one of the nodes begins. It goes on with each
    /// exchange until none is left: hostile clients choose how many there are.
    private func clean(_ connection: PostgreSQLConnection, state: inout State) throws {
        if !state.isCleaning {
            if let last = state.cleaned, .now - last < Self.cleaningInterval { return }
            state.cleaned = .now
            try connection.execute(sql: PostgreSQLSchema.claimCleaning, arguments: [])
            guard connection.changedRows > 0 else { return }
        }
        // After a failure, the next exchange works without cleaning.
        state.isCleaning = false
        try connection.execute(sql: PostgreSQLSchema.cleanCounts, arguments: [])
        state.isCleaning = connection.changedRows >= PostgreSQLSchema.cleanedRows
        try connection.execute(sql: PostgreSQLSchema.cleanBatches, arguments: [])
    }

    /// Numbers as an array of PostgreSQL.
    private static func list(_ numbers: [Int64]) -> String {
        "{" + numbers.map { "\($0)" }.joined(separator: ",") + "}"
    }

    /// Texts as an array of PostgreSQL (PostgreSQL documentation, "Array Value Input").
    private static func list(_ texts: [String]) -> String {
        let quoted = texts.map { text in
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return "{" + quoted.joined(separator: ",") + "}"
    }

    // MARK: - Requests

    /// Waits until a command asks something, or until the interval ends.
    /// - Returns: Whether a command asked.
    package func wait(atMost interval: Duration) -> Bool {
        let isAsked: Bool? = self.state.withLock { state in
            guard let connection = state.connection else { return nil }
            do {
                return try connection.waitForNotification(atMost: interval)
            } catch {
                state.connection = nil
                return nil
            }
        }
        if isAsked == nil { Thread.sleep(forTimeInterval: interval / .seconds(1)) }
        return isAsked ?? false
    }

    /// The requests to this gateway that are not answered.
    /// - Throws: ``StoreError``.
    package func requests() throws -> [NodeRequest] {
        try self.connected { connection, _ in
            try connection.result(sql: PostgreSQLSchema.requests, arguments: [self.instance]).rows
                .map { row in
                    NodeRequest(
                        id: row.required("id"),
                        session: (row.value("session") as Int64?).map(UInt64.init(clamping:)),
                        actor: row.required("actor")
                    )
                }
        }
    }

    /// Answers a request, if its command still waits.
    /// - Throws: ``StoreError``.
    package func answer(_ request: NodeRequest, text: String) throws {
        try self.connected { connection, _ in
            try connection.execute(
                sql: PostgreSQLSchema.answer,
                arguments: [text, request.id, self.instance]
            )
        }
    }

    // MARK: - Connection

    /// Closes the connection.
    package func close() {
        self.state.withLock { $0.connection = nil }
    }

    /// Runs a body with the connection, which is made if there is none. An error ends it.
    private func connected<Value>(
        _ body: (PostgreSQLConnection, inout State) throws -> Value
    ) throws -> Value {
        try self.state.withLock { state in
            do {
                let connection = try state.connection ?? self.connect(&state)
                return try body(connection, &state)
            } catch let error as PostgreSQLError {
                state.connection = nil
                throw error.explained
            }
        }
    }

    /// Connects. Counts need no answer of a disk or a standby.
    private func connect(_ state: inout State) throws -> PostgreSQLConnection {
        let connection = try self.pool.open()
        connection.patience = Self.patience
        try connection.run("SET synchronous_commit = off")
        try connection.run("LISTEN \(PostgreSQLTables.requests)")
        state.connection = connection
        state.isFirst = true
        state.known = [:]
        return connection
    }
}
