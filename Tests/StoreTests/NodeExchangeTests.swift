import Access
import Foundation
import Support
import Synchronization
import Testing

@testable import Store

/// Counts and requests of nodes that share one database of PostgreSQL.
@Suite struct NodeExchangeTests {
    private let folder: TemporaryFolder
    private let url: String
    private let masterKey = MasterKey()
    private let anna = NodeCount.Row(.user, name: "1")

    init() throws {
        self.folder = try TemporaryFolder()
        self.url = try PostgreSQLCluster.shared.get().database()
    }

    /// A gateway's store and exchange.
    private struct Node {
        let store: PermissionStore
        let exchange: NodeExchange

        /// Tells that the node lives.
        func beat() throws {
            _ = try self.store.engine.newest(
                MasterKey(),
                after: nil,
                always: false,
                answered: {}
            )
        }

        /// Writes counts, and returns what it reads.
        @discardableResult
        func write(_ counts: (NodeCount.Row, Int, Int64?)...) throws -> NodeReport {
            try self.exchange.exchange { _ in
                counts.map { NodeCount($0.0, count: $0.1, remaining: $0.2) }
            }
        }
    }

    private func node(_ name: String) throws -> Node {
        let server = PostgreSQLServer(url: self.url, node: name, state: self.folder.url.path)
        let store = try PermissionStore(.postgreSQL(server))
        let node = Node(store: store, exchange: try #require(store.exchange()))
        try self.beat(node, name)
        return node
    }

    /// Lets a node live for long: a busy machine might not tell in time that it does, and a node that
    /// told so just now does not tell it again.
    private func beat(_ node: Node, _ name: String) throws {
        try node.beat()
        try self.lose(name, seconds: -600)
    }

    /// Makes a node tell last that it lives some seconds ago.
    private func lose(_ name: String, seconds: Int) throws {
        try self.psql(
            """
            UPDATE node SET seen = extract(epoch FROM clock_timestamp()) * 1000 - \(seconds * 1_000)
            WHERE name = '\(name)'
            """
        )
    }

    private func psql(_ sql: String) throws {
        let name = String(self.url.dropFirst("postgresql:///".count).prefix { $0 != "?" })
        try PostgreSQLCluster.shared.get().psql(sql, database: name)
    }

    private func rows(_ node: Node) throws -> Int {
        try node.store.read { try $0.value(of: Int.self, sql: "SELECT count(*) FROM nodeCount") }
            ?? -1
    }

    private static func counts(_ report: NodeReport) -> [Int] {
        report.counts.map(\.count.count).sorted()
    }

    // MARK: - Counts

    @Test func `a node reads what the others wrote since its last exchange, and only that`() throws
    {
        let (one, two, three) = (try self.node("one"), try self.node("two"), try self.node("three"))
        #expect(try two.write().isWhole)
        try one.write((self.anna, 3, nil), (.init(.messages, name: "1", part: 7), 4, 60_000))
        try three.write((self.anna, 5, nil))
        var report = try two.write((self.anna, 1, nil))
        #expect(!report.isWhole && Self.counts(report) == [3, 4, 5])
        #expect(Set(report.counts.map(\.instance)).count == 2)
        let message = try #require(report.counts.first { $0.count.row.part == 7 }?.count)
        #expect(message.row.key == NodeCount.Key(.messages, name: "1"))
        #expect((50_000...60_000).contains(message.remaining ?? 0))
        #expect(try Self.counts(two.write()) == [])
        try one.write((self.anna, 2, nil))
        report = try two.write()
        #expect(Self.counts(report) == [2] && report.counts[0].count.remaining == nil)
        // A node that starts reads everything.
        report = try self.node("four").write()
        #expect(report.isWhole && Self.counts(report) == [1, 2, 4, 5])
    }

    @Test func `a count of zero is read as the end, and its row is removed later`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        try one.write((self.anna, 3, nil))
        #expect(try Self.counts(two.write()) == [3])
        try one.write((self.anna, 0, 0))
        #expect(try Self.counts(two.write()) == [0])
        #expect(try self.rows(one) == 1)
        try self.psql(
            "UPDATE nodecount SET ends = ends - 120000; DELETE FROM nodebatch WHERE instance = 0"
        )
        try self.node("three").write()
        #expect(try self.rows(one) == 0)
    }

    @Test func `connections of a node that is lost end, and count again if it comes back`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        try one.write((self.anna, 3, nil), (.init(.failures, name: "mark"), 4, 600_000))
        #expect(try Self.counts(two.write()) == [3, 4])
        try self.lose("one", seconds: 5)
        var report = try two.write()
        #expect(report.ended.count == 1 && report.counts.isEmpty)
        #expect(try two.write().ended.isEmpty)
        // Who starts now reads the failures alone.
        #expect(try Self.counts(self.node("three").write()) == [4])
        try self.beat(one, "one")
        report = try two.write()
        #expect(report.ended.isEmpty && Self.counts(report) == [3, 4])
    }

    @Test func `a node that starts again counts what it counted before, without the connections`()
        throws
    {
        let one = try self.node("one")
        try one.write((self.anna, 3, nil), (.init(.messages, name: "1"), 4, 600_000))
        one.store.close()
        let again = try self.node("one")
        #expect(try Self.counts(again.write()) == [4])
    }

    @Test func `a lost connection writes and reads everything again`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        try one.write((self.anna, 3, nil), (.init(.user, name: "2"), 9, nil))
        try two.write((self.anna, 1, nil))
        try self.psql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
        #expect(throws: StoreError.self) { try one.write((self.anna, 4, nil)) }
        let asked = Mutex<[Bool]>([])
        let anna = self.anna
        let report = try one.exchange.exchange { all in
            asked.withLock { $0.append(all) }
            return [NodeCount(anna, count: 5, remaining: nil)]
        }
        #expect(asked.withLock { $0 } == [true] && report.isWhole)
        #expect(Self.counts(report) == [1])
        // What this node does not count any more has ended.
        #expect(throws: StoreError.self) { try two.write() }
        #expect(try Self.counts(two.write()) == [0, 5])
    }

    @Test func `rows that another node removed are written again`() throws {
        let one = try self.node("one")
        try one.write((self.anna, 3, nil))
        try self.psql("DELETE FROM nodecount; DELETE FROM nodebatch")
        try one.write()
        let report = try one.write((self.anna, 3, nil))
        #expect(report.isWhole)
        #expect(try self.rows(one) == 1)
    }

    @Test func `rows of nodes that are gone are removed, and those of living nodes stay`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        try one.write((self.anna, 3, nil), (.init(.failures, name: "mark"), 4, 600_000))
        try two.write((self.anna, 1, nil))
        try self.lose("one", seconds: 700)
        try self.psql(
            """
            UPDATE nodecount SET ends = ends - 700000 WHERE kind = 'failures';
            UPDATE nodebatch SET written = written - 700000
            """
        )
        let three = try self.node("three")
        #expect(try Self.counts(three.write()) == [1])
        #expect(try self.rows(two) == 1)
        let batches = try two.store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM nodeBatch WHERE instance <> 0")
        }
        // The new node has counted nothing, but its first batch is there.
        #expect(batches == 2)
    }

    @Test func `any number of rows that are over is removed, even if they cannot be read`() throws {
        let one = try self.node("one")
        try self.psql(
            """
            INSERT INTO nodecount
                SELECT 7, 'failures', n::text, 0, 0, 1, 1 FROM generate_series(1, 50000) AS n;
            ALTER TABLE nodecount RENAME COLUMN count TO broken
            """
        )
        #expect(throws: StoreError.self) { try one.write() }
        #expect(try self.rows(one) == 30_000)
        try self.psql("ALTER TABLE nodecount RENAME COLUMN broken TO count")
        for left in [10_000, 0] {
            try one.write()
            #expect(try self.rows(one) == left)
        }
    }

    @Test func `a node that starts may write before it tells that it lives`() throws {
        let server = PostgreSQLServer(url: self.url, node: "one", state: self.folder.url.path)
        let store = try PermissionStore(.postgreSQL(server))
        let one = Node(store: store, exchange: try #require(store.exchange()))
        try one.write((self.anna, 3, nil))
        // This one cleans the table.
        let two = try self.node("two")
        #expect(try Self.counts(two.write()) == [] && self.rows(two) == 1)
        try self.beat(one, "one")
        #expect(try Self.counts(two.write()) == [3])
    }

    @Test func `a node that was lost for long writes everything again`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        try one.write((self.anna, 3, nil), (.init(.messages, name: "1"), 4, 3_600_000))
        try two.write()
        try self.lose("one", seconds: 700)
        try one.write()
        try self.psql("UPDATE nodebatch SET written = written - 700000")
        #expect(try self.node("three").write().isWhole && self.rows(two) == 1)
        try self.beat(one, "one")
        try one.write()
        #expect(try one.write((self.anna, 3, nil)).isWhole)
        #expect(try Set(Self.counts(two.write())) == [0, 3])
    }

    @Test func `any text is a name`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        let names = ["", "a\"b", "a\\", "{a,b}", "NULL", "fe80::1%eth0", "' OR 1=1 --", "ü"]
        _ = try one.exchange.exchange { _ in
            names.map { NodeCount(.init(.address, name: $0), count: 1, remaining: nil) }
        }
        #expect(Set(try two.write().counts.map(\.count.row.key.name)) == Set(names))
    }

    @Test func `a number that no gateway wrote is bounded`() throws {
        let one = try self.node("one")
        try self.psql(
            """
            INSERT INTO nodecount VALUES
                (7, 'messages', '1', 0, 9223372036854775807, 9223372036854775806, 1),
                (7, 'messages', '2', 0, -5, 9223372036854775806, 1),
                (7, 'something', '1', 0, 5, 9223372036854775806, 1);
            INSERT INTO nodebatch VALUES (7, 1, 0)
            """
        )
        let report = try one.write()
        #expect(Self.counts(report) == [0, Int(Int32.max)])
        #expect(report.counts.allSatisfy { $0.count.remaining == 3_600_000 })
    }

    @Test func `many counts are written in one exchange`() throws {
        let (one, two) = (try self.node("one"), try self.node("two"))
        _ = try one.exchange.exchange { _ in
            (0..<12_000).map { NodeCount(.init(.user, name: "\($0)"), count: 1, remaining: nil) }
        }
        let report = try two.write()
        #expect(Set(report.counts.map(\.count.row)).count == 12_000)
    }

    @Test func `nodes that write at once lose no batch`() throws {
        let nodes = try (0..<4).map { try self.node("node\($0)") }
        let sums = Mutex([[NodeCount.Row: Int]](repeating: [:], count: 4))
        DispatchQueue.concurrentPerform(iterations: 4) { index in
            for round in 1...25 {
                let row = NodeCount.Row(.messages, name: "\(index)", part: Int64(round % 3))
                guard let report = try? nodes[index].write((row, round, 600_000)) else { continue }
                sums.withLock { sums in
                    for (_, count) in report.counts { sums[index][count.row] = count.count }
                }
            }
        }
        for (index, node) in nodes.enumerated() {
            let report = try node.write()
            let known = sums.withLock { sums in
                for (_, count) in report.counts { sums[index][count.row] = count.count }
                return sums[index]
            }
            let sum = known.values.reduce(0, +)
            #expect(sum == 216, "\(index)")
        }
    }

    @Test func `a file has no other nodes`() throws {
        let store = try PermissionStore(path: self.folder.url.appendingPathComponent("s").path)
        #expect(store.exchange() == nil)
        #expect(try store.ask(NodeQuestion(actor: "test")) == nil)
    }

    // MARK: - Requests

    /// Answers requests until the test ends.
    private func answer(
        _ node: Node,
        until isOver: Flag,
        by body: @escaping @Sendable (NodeRequest) -> String
    ) {
        Thread.detachNewThread {
            while !isOver.isSet {
                guard node.exchange.wait(atMost: .milliseconds(50)) else { continue }
                for request in (try? node.exchange.requests()) ?? [] {
                    try? node.exchange.answer(request, text: body(request))
                }
            }
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { self.value.load(ordering: .relaxed) }
        func set() { self.value.store(true, ordering: .relaxed) }
    }

    @Test func `each living node answers, and one that hangs is named`() throws {
        let nodes = try ["one", "two", "three"].map(self.node)
        let isOver = Flag()
        defer { isOver.set() }
        for (number, node) in nodes.prefix(2).enumerated() {
            try node.write()
            self.answer(node, until: isOver) { request in
                "\(number) \(request.session.map { "\($0)" } ?? "all") \(request.actor)"
            }
        }
        let asking = try self.node("asking").store
        asking.close()
        var question = NodeQuestion(actor: "root", patience: .seconds(1))
        var answers = try #require(try asking.ask(question))
        #expect(answers.answers == ["one": "0 all root", "two": "1 all root"])
        #expect(answers.silent == ["three"] && answers.lost.isEmpty)
        question = NodeQuestion(session: 7, node: "two", actor: "anna", patience: .seconds(20))
        answers = try #require(try asking.ask(question))
        #expect(answers == NodeAnswers(answers: ["two": "1 7 anna"]))
        try self.lose("three", seconds: 60)
        question.node = "three"
        answers = try #require(try asking.ask(question))
        #expect(answers.answers.isEmpty && answers.silent.isEmpty)
        #expect(answers.lost.map(\.name) == ["three"] && answers.lost[0].seconds >= 60)
        question.node = "four"
        #expect(try asking.ask(question) == NodeAnswers())
        // Nothing of the requests stays.
        let left = try asking.read {
            try $0.value(
                of: Int.self,
                sql: "SELECT (SELECT count(*) FROM nodeRequest) + (SELECT count(*) FROM nodeAnswer)"
            )
        }
        #expect(left == 0)
    }

    @Test func `a request is for the process that lived when it was made, and ends soon`() throws {
        let one = try self.node("one")
        _ = try one.store.ask(NodeQuestion(session: 7, actor: "root", patience: .zero))
        try self.psql(
            """
            INSERT INTO noderequest (id, instance, session, actor, created)
            SELECT 1, instance, 7, 'root', extract(epoch FROM clock_timestamp()) * 1000 FROM node WHERE name = 'one'
            """
        )
        #expect(try one.exchange.requests() == [NodeRequest(id: 1, session: 7, actor: "root")])
        // The next process with this name has other sessions.
        one.store.close()
        let again = try self.node("one")
        #expect(try again.exchange.requests().isEmpty)
        try self.psql("UPDATE noderequest SET created = created - 11000")
        #expect(try one.exchange.requests().isEmpty)
        // A late answer to a request that is gone leaves nothing.
        try self.psql("DELETE FROM noderequest")
        try again.exchange.answer(NodeRequest(id: 1, session: 7, actor: "root"), text: "late")
        let count = try again.store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM nodeAnswer")
        }
        #expect(count == 0)
    }
}
