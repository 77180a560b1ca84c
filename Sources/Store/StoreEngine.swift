import Access

/// What a permission store runs on: a file of SQLite, or a database of PostgreSQL.
///
/// Rules, and the SQL of operations, exist once above this protocol. An engine has connections,
/// transactions, the schema with its migrations, and the check that what it reads continues what
/// was in force. Used from any thread; every function may block.
protocol StoreEngine: AnyObject, Sendable {
    /// The identity of the open database; nil if it is unknown.
    var identity: FileIdentity? { get }

    /// Runs a read transaction, which sees one state of the database.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value

    /// Runs a write transaction; it is rolled back if the body throws.
    /// - Parameter lock: What no other write transaction may change meanwhile.
    /// - Throws: ``StoreError``, of kind `replaced` if another database took the place of the
    ///   open one: no gateway would read what was written. Errors of the body are rethrown.
    func write<Value>(
        locking lock: StoreLock,
        body: (StoreTransaction) throws -> Value
    ) throws -> Value

    /// Runs a body on a copy of the model in memory, without a lock of the store.
    ///
    /// The copy gives new rows the same keys as the store would, so the statements of the body
    /// have the same effect there as long as the store has the same revision.
    /// - Parameter accounts: The keys of the accounts whose grants the copy has; nil for all. The
    ///   body neither reads nor writes other grants.
    /// - Returns: The result of the body, and the statements with an effect.
    /// - Throws: ``StoreError``; errors of the body are rethrown.
    func tryOnCopy<Value>(
        grantsOn accounts: Set<Int64>?,
        body: (StoreTransaction) throws -> Value
    ) throws -> (value: Value, plan: StorePlan)

    /// Called after an edit was committed.
    /// - Parameter removesSecrets: Whether the edit removed a secret, of which nothing may remain.
    func settle(removesSecrets: Bool)

    /// Closes all connections. Errors are ignored.
    func close()

    /// - Throws: ``StoreError`` of kind `unusable` if this process may not write the store.
    func requireWritable() throws

    /// A check of the whole database, which takes time in proportion to its size.
    /// - Returns: Nil for an intact database, otherwise what was found.
    func integrityProblem() throws -> String?

    // MARK: - What is in force

    /// Reads the whole store. The first call also sets the state that later reads must continue.
    func load() throws -> StoreSnapshot

    /// Reads the store if it changed since a snapshot.
    /// - Parameters:
    ///   - known: The snapshot that was read last.
    ///   - always: Whether to read a snapshot even if the revision is unchanged.
    ///   - answered: Called when the database has answered, before the snapshot is read.
    /// - Returns: Nil if nothing changed.
    /// - Throws: ``StoreRefusal`` if the database does not continue the state in force.
    func newest(
        _ masterKey: MasterKey,
        after known: StoreSnapshot?,
        always: Bool,
        answered: () -> Void
    ) throws -> StoreSnapshot?

    /// Reads the store after an edit of this process.
    /// - Parameter current: The snapshot in force; the next one is derived from it if possible.
    /// - Throws: ``StoreRefusal`` if a part of the state in force is missing,
    ///   ``StoreError/replaced`` if an accepted replacement is still to be adopted.
    func loadNext(
        _ masterKey: MasterKey,
        after current: StoreSnapshot?
    ) throws -> StoreSnapshot

    /// Confirms, for an administrator, a database that lacks a part of the state in force.
    /// - Parameter waiting: The database and revision that the administrator saw.
    /// - Returns: False if another one waits by now.
    func accept(_ waiting: WaitingStore) -> Bool

    /// The names of the nodes whose gateways use the store now; empty for a file, which does not
    /// know.
    func livingNodes() throws -> [String]

    /// The exchange with the other nodes; nil for a file, which has one gateway.
    func exchange() -> NodeExchange?

    /// Asks the gateways of all nodes, or of one, about their sessions.
    /// - Returns: Nil for a file, which has one gateway.
    func ask(_ question: NodeQuestion) throws -> NodeAnswers?

    /// Waits until the next look at the store is due.
    /// - Parameter interval: The longest time; an engine that is told of changes waits less.
    func wait(atMost interval: Duration)
}
