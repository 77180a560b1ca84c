/// The tables through which nodes add up their counts and answer commands.
extension PostgreSQLSchema {
    /// Milliseconds for which a count that is over stays, so that every node reads that it is. A
    /// node that read nothing for half of this time reads everything.
    static let countRest = 60_000
    /// The end of a count of connections, which end with their node.
    static let endless = Int64.max
    /// Milliseconds after which a request is not performed any more: a command waits less.
    static let requestLifetime = 10_000
    /// Milliseconds for which a node that was lost without a stop is known to commands, and its
    /// connections stay in the table.
    static let lostTime = 600_000

    /// Requests and answers are gone after a crash of the server, and need no log.
    static let nodes = """
        -- What each gateway's process counted.
        CREATE TABLE nodeCount (
            -- The random number of the process.
            instance bigint NOT NULL,
            kind \(Self.text) NOT NULL,
            key \(Self.text) NOT NULL,
            part bigint NOT NULL,
            count bigint NOT NULL,
            -- When it ends, in milliseconds since 1970 by the clock of the server.
            ends bigint NOT NULL,
            -- The batch of the process that wrote it.
            batch bigint NOT NULL,
            PRIMARY KEY (instance, kind, key, part)
        );
        CREATE INDEX nodeCountBatch ON nodeCount (instance, batch);

        -- The last batch of each process. The row with the number 0 is that of the last cleaning.
        CREATE TABLE nodeBatch (
            instance bigint PRIMARY KEY,
            batch bigint NOT NULL,
            -- When it was written, in milliseconds since 1970 by the clock of the server.
            written bigint NOT NULL
        );

        -- What commands ask each gateway's process: to end a session, or for all sessions.
        CREATE UNLOGGED TABLE nodeRequest (
            id bigint NOT NULL,
            instance bigint NOT NULL,
            session bigint,
            actor \(Self.text) NOT NULL,
            created bigint NOT NULL,
            PRIMARY KEY (id, instance)
        );
        CREATE UNLOGGED TABLE nodeAnswer (
            request bigint NOT NULL,
            instance bigint NOT NULL,
            answer \(Self.text) NOT NULL,
            PRIMARY KEY (request, instance)
        );
        """

    // MARK: - Counts

    /// Ends all counts of a process: its batch, and its number.
    static let endCounts = """
        UPDATE nodeCount SET count = 0, ends = \(now) + \(countRest), batch = ?
        WHERE instance = ? AND count > 0
        """
    /// Writes counts of a process: its number, its batch, and arrays of the values. A negative
    /// number of milliseconds stands for no end.
    static let writeCounts = """
        INSERT INTO nodeCount (instance, kind, key, part, count, ends, batch)
        SELECT CAST(? AS bigint), kind, key, part, count,
            CASE WHEN remaining < 0 THEN \(endless) ELSE \(now) + remaining END,
            CAST(? AS bigint)
        FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]),
            CAST(? AS bigint[]), CAST(? AS bigint[]))
            AS changed (kind, key, part, count, remaining)
        ON CONFLICT (instance, kind, key, part) DO UPDATE
        SET count = excluded.count, ends = excluded.ends, batch = excluded.batch
        """
    /// Sets the last batch of a process.
    static let writeBatch = """
        INSERT INTO nodeBatch (instance, batch, written) VALUES (?, ?, \(now))
        ON CONFLICT (instance) DO UPDATE SET batch = excluded.batch, written = excluded.written
        """
    /// The last batch of each process, and whether it lives.
    static let batches = """
        SELECT nodeBatch.instance, nodeBatch.batch,
            CAST(CASE WHEN node.seen > \(now) - \(lease) THEN 1 ELSE 0 END AS bigint) AS living
        FROM nodeBatch LEFT JOIN node ON node.instance = nodeBatch.instance
        WHERE nodeBatch.instance <> 0
        """
    /// The counts of processes after a batch that are not over: arrays of their numbers and batches.
    /// Without the offset the server might read the whole table.
    static let countsAfter = """
        SELECT counts.* FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))
            AS known (instance, batch)
        CROSS JOIN LATERAL (
            SELECT nodeCount.instance, kind, key, part, count, nodeCount.batch,
                CASE WHEN ends < \(endless) THEN ends - \(now) END AS remaining
            FROM nodeCount
            WHERE nodeCount.instance = known.instance AND nodeCount.batch > known.batch
                AND ends > \(now)
            OFFSET 0
        ) AS counts
        """

    /// Changes a row if no node has cleaned the table within a minute.
    static let claimCleaning = """
        INSERT INTO nodeBatch (instance, batch, written) VALUES (0, 0, \(now))
        ON CONFLICT (instance) DO UPDATE SET written = excluded.written
        WHERE nodeBatch.written < excluded.written - \(countRest)
        """
    /// The processes that live, were lost lately, or wrote lately: one that starts may write before
    /// it tells that it lives.
    private static let present = """
        SELECT instance FROM node WHERE seen > \(now) - \(lostTime)
        UNION ALL SELECT instance FROM nodeBatch WHERE written > \(now) - \(lostTime)
        """
    /// Rows that ``cleanCounts`` removes: so few that the server answers in time.
    static let cleanedRows = 20_000
    /// Removes counts that are over, and those of connections of processes that are. A row that its
    /// process writes meanwhile is left to the next time.
    static let cleanCounts = """
        DELETE FROM nodeCount WHERE (instance, kind, key, part) IN (
            SELECT instance, kind, key, part FROM nodeCount
            WHERE ends < \(now) OR ends = \(endless) AND instance NOT IN (\(present))
            LIMIT \(cleanedRows) FOR UPDATE SKIP LOCKED
        )
        """
    /// Removes the batches of processes that are over and have no count.
    static let cleanBatches = """
        DELETE FROM nodeBatch WHERE instance <> 0 AND instance NOT IN (\(present))
            AND NOT EXISTS (SELECT 1 FROM nodeCount WHERE nodeCount.instance = nodeBatch.instance)
        """
    /// Removes the connections of a process that stops: its number.
    static let endConnections = "DELETE FROM nodeCount WHERE instance = ? AND ends = \(endless)"

    // MARK: - Requests

    /// The nodes that did not stop, each with its process, and the milliseconds since it told that it
    /// lives.
    static let notStopped = """
        SELECT name, instance, \(now) - seen AS silence FROM node
        WHERE seen > \(now) - \(lostTime) ORDER BY name
        """
    /// Asks a process: the number of the request, the process, a session or NULL, and who asks.
    static let ask = """
        INSERT INTO nodeRequest (id, instance, session, actor, created)
        VALUES (?, ?, ?, ?, \(now))
        """
    /// The requests to a process that it has not answered.
    static let requests = """
        SELECT id, session, actor FROM nodeRequest
        WHERE instance = ? AND created > \(now) - \(requestLifetime) AND NOT EXISTS (
            SELECT 1 FROM nodeAnswer
            WHERE nodeAnswer.request = nodeRequest.id AND nodeAnswer.instance = nodeRequest.instance
        )
        """
    /// Answers a request that a command still waits for: the answer, the number of the request, and
    /// the process.
    static let answer = """
        INSERT INTO nodeAnswer (request, instance, answer)
        SELECT id, instance, CAST(? AS text) FROM nodeRequest WHERE id = ? AND instance = ?
        ON CONFLICT DO NOTHING
        """
    /// The answers to a request.
    static let answers = "SELECT instance, answer FROM nodeAnswer WHERE request = ?"
    /// Removes a request, and those of commands that did not remove theirs.
    static let removeRequests = [
        "DELETE FROM nodeRequest WHERE id = ? OR created < \(now) - \(countRest)",
        """
        DELETE FROM nodeAnswer WHERE request = ? OR NOT EXISTS (
            SELECT 1 FROM nodeRequest WHERE nodeRequest.id = nodeAnswer.request
        )
        """,
    ]
}
