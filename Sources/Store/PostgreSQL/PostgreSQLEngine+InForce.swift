import Access
import Foundation
import Synchronization

/// Following the database that other nodes change.
extension PostgreSQLEngine {
    /// How long a look may take until the connection is given up. The server may have failed, and
    /// another one may have taken over.
    private static let patience = Duration.seconds(1)

    /// The time between two writes of a node that lives. Shorter than the time after which a node
    /// without an answer closes shared mailboxes.
    private static let pulse = Duration.milliseconds(400)

    /// Reads the whole database.
    func load() throws -> StoreSnapshot {
        let generation = self.state.withLock(\.generation)
        let (snapshot, state) = try self.read { transaction in
            (try transaction.snapshot(generation: generation), try StoreState(transaction))
        }
        self.state.withLock { $0.inForce = $0.inForce ?? state }
        return snapshot
    }

    /// Reads the database if it changed since a snapshot.
    func newest(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        always: Bool,
        answered: () -> Void
    ) throws -> StoreSnapshot? {
        let isUnchanged = try self.look()
        answered()
        if isUnchanged, !always, self.state.withLock(\.inForce)?.revision == known?.access.revision
        {
            return nil
        }
        let before = self.state.withLock { $0 }
        let (snapshot, state, isAccepted) = try self.read { transaction in
            let isAccepted = try self.requireContinuation(
                of: before,
                masterKey: masterKey,
                transaction: transaction
            )
            let state = try StoreState(transaction)
            if !isAccepted, let known, known.isFrom(generation: before.generation),
                let next = try transaction.snapshot(after: known)
            {
                return (next, state, false)
            }
            let generation = before.generation + (isAccepted ? 1 : 0)
            return (try transaction.snapshot(generation: generation), state, isAccepted)
        }
        self.state.withLock { current in
            if isAccepted { current = State(generation: before.generation + 1) }
            current.inForce = state
        }
        return snapshot
    }

    /// Reads the database after an edit of this process.
    func loadNext(
        _ masterKey: MasterKey,
        after current: StoreSnapshot?
    ) throws -> StoreSnapshot {
        let before = self.state.withLock { $0 }
        return try self.read { transaction in
            let isAccepted = try self.requireContinuation(
                of: before,
                masterKey: masterKey,
                transaction: transaction
            )
            // The thread that follows the database adopts an accepted state.
            guard !isAccepted else { throw StoreError.replaced }
            if let current, current.isFrom(generation: before.generation),
                let next = try transaction.snapshot(after: current)
            {
                return next
            }
            return try transaction.snapshot(generation: before.generation)
        }
    }

    /// Requires that the database continues the state in force.
    /// - Returns: Whether it lacks a part of that state, and an administrator confirmed it.
    private func requireContinuation(
        of before: State,
        masterKey: MasterKey,
        transaction: StoreTransaction
    ) throws -> Bool {
        guard let identity = self.identity,
            try PostgreSQLSchema.identity(transaction) == identity
        else {
            throw StoreRefusal(
                "the \(self.place) is another store than the one in force: restart the gateway to "
                    + "use it"
            )
        }
        let check = ContinuityCheck(
            known: before.inForce,
            file: identity,
            isSameFile: true,
            masterKey: masterKey,
            accepted: before.accepted
        )
        switch try check.outcome(transaction) {
        case .complete: return false
        case .accepted: return true
        case .lacking(let candidate, let refusal):
            self.state.withLock { $0.waiting = candidate }
            throw refusal
        }
    }

    /// Confirms a state that lacks a part of the one in force.
    func accept(_ waiting: WaitingStore) -> Bool {
        self.state.withLock { state in
            guard let candidate = state.waiting, candidate.waiting == waiting else { return false }
            state.accepted = candidate
            return true
        }
    }

    // MARK: - Looks

    /// Asks for the revision, on the connection that is told of changes.
    ///
    /// From time to time the question is a write: a server that was cut off from its standby, which may have taken
    /// over, commits nothing if replication is synchronous. A standby refuses it.
    /// - Returns: Whether the revision is the one in force.
    private func look() throws -> Bool {
        try self.listener.withLock { listener in
            do {
                let connection = try listener.connection ?? self.listen()
                listener.connection = connection
                let row = try self.current(connection, listener: &listener)
                let inForce = self.state.withLock(\.inForce)
                guard let row, let inForce else { return false }
                return row.value("revision") == inForce.revision
                    && row.value("token") == inForce.token
                    && row.value("identity") == self.identity.map { Int64(bitPattern: $0.inode) }
            } catch let error as PostgreSQLError {
                listener.connection = nil
                throw error.explained
            }
        }
    }

    /// Reads the revision, and tells that the node lives if that is due.
    private func current(
        _ connection: PostgreSQLConnection,
        listener: inout Listener
    ) throws -> PostgreSQLRow? {
        let now = ContinuousClock.now
        let isDue = listener.beat.map { now - $0 >= Self.pulse } ?? true
        if isDue {
            try connection.execute(
                sql: PostgreSQLSchema.heartbeat,
                arguments: [connection.node, self.instance]
            )
            guard connection.changedRows == 1 else {
                throw StoreRefusal(
                    "another gateway with the name \(connection.node) uses the \(self.place): give each "
                        + "node a name of its own (node: in gatepost.yaml)"
                )
            }
            listener.beat = now
        }
        let row = try connection.result(sql: PostgreSQLSchema.current, arguments: [])
        return row.rows.first
    }

    /// Opens the connection that is told of changes.
    private func listen() throws -> PostgreSQLConnection {
        let connection = try self.pool.open()
        connection.patience = Self.patience
        try connection.run("LISTEN \(PostgreSQLTables.channel)")
        return connection
    }

    /// The names of the nodes that told lately that they live.
    func livingNodes() throws -> [String] {
        try self.read { transaction in
            try transaction.values(
                of: String.self,
                sql: PostgreSQLSchema.living,
                arguments: [PostgreSQLSchema.lease]
            )
        }
    }

    /// Waits until a node changes something, or until the interval ends.
    func wait(atMost interval: Duration) {
        let hasWaited = self.listener.withLock { listener in
            guard let connection = listener.connection else { return false }
            do {
                _ = try connection.waitForNotification(atMost: interval)
                return true
            } catch {
                listener.connection = nil
                return false
            }
        }
        if !hasWaited { Thread.sleep(forTimeInterval: interval / .seconds(1)) }
    }
}
