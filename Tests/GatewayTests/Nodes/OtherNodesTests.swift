import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
import Session
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// The thread that exchanges counts and answers commands, of gateways that share a database.
@Suite struct OtherNodesTests {
    private let folder: TemporaryFolder
    private let url: String

    init() throws {
        self.folder = try TemporaryFolder()
        self.url = try PostgreSQLCluster.shared.get().database()
    }

    /// Sessions of no clients; one that hangs never answers.
    private final class Sessions: ControlledSessions {
        let open: Mutex<[SessionSummary]>
        let hangs: Bool

        init(_ numbers: [UInt64], hangs: Bool = false) {
            self.hangs = hangs
            self.open = Mutex(
                numbers.map {
                    SessionSummary(session: $0, user: "anna", protocol: "imap", since: 1)
                }
            )
        }

        func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]> {
            guard !self.hangs else { return loop.makePromise().futureResult }
            return loop.makeSucceededFuture(self.open.withLock { $0 })
        }

        func endSession(
            _ number: UInt64,
            on loop: any EventLoop
        ) -> EventLoopFuture<SessionSummary?> {
            loop.makeSucceededFuture(
                self.open.withLock { open in
                    open.firstIndex { $0.session == number }.map { open.remove(at: $0) }
                }
            )
        }
    }

    private struct Node {
        let store: PermissionStore
        let nodes: OtherNodes
        /// Tells that the node lives.
        let following: Task<Void, Never>

        /// Stops as a gateway does: nothing uses the store when it is closed.
        func stop() async throws {
            await self.nodes.stop()
            self.following.cancel()
            try await Task.sleep(for: .seconds(1))
            self.store.close()
        }
    }

    private func store(_ name: String) throws -> PermissionStore {
        let server = PostgreSQLServer(url: self.url, node: name, state: self.folder.url.path)
        return try PermissionStore(.postgreSQL(server))
    }

    /// A gateway of a node that lives for long.
    private func node(_ name: String, sessions: Sessions, audit: AuditLog) throws -> Node {
        let store = try self.store(name)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let nodes = try #require(OtherNodes(store, logger: logger))
        nodes.start(
            SessionRequests(sessions: sessions, audit: audit),
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
        let following = Task {
            let changes = store.changes(
                every: .milliseconds(200),
                silence: .seconds(60),
                masterKey: MasterKey()
            )
            for await _ in changes {}
        }
        return Node(store: store, nodes: nodes, following: following)
    }

    /// Waits for a condition. All tests share the threads of this one, so it may wait for minutes.
    private static func until(_ condition: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(1_200)
        while try !condition() {
            try #require(ContinuousClock.now < end)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func `counts reach the other gateway, and end there when this one does`() async throws {
        let fixture = try GatewayFixture()
        let one = try self.node("one", sessions: Sessions([]), audit: fixture.gateway.audit)
        let other = try self.node("other", sessions: Sessions([]), audit: fixture.gateway.audit)
        one.nodes.counts.set(3, of: NodeCount.Row(.user, name: "1"))
        one.nodes.counts.set(4, of: NodeCount.Row(.messages, name: "1"), lasting: .minutes(60))
        try await Self.until { other.nodes.counts.others(.user, name: "1") == 3 }
        one.nodes.counts.set(5, of: NodeCount.Row(.messages, name: "1"), lasting: .minutes(60))
        // The last counts are written before the end.
        try await one.stop()
        try await Self.until { other.nodes.counts.others(.messages, name: "1") == 5 }
        try await Self.until { other.nodes.counts.others(.user, name: "1") == 0 }
        #expect(other.nodes.counts.others(.messages, name: "1") == 5)
        try await other.stop()
    }

    @Test func `a command ends a session of another node, and lists what is left`() async throws {
        let fixture = try GatewayFixture()
        let sessions = Sessions([7, 8])
        let one = try self.node("one", sessions: sessions, audit: fixture.gateway.audit)
        let command = try self.store("command")
        var question = NodeQuestion(session: 7, actor: "root", patience: .seconds(30))
        try await Self.until { try command.livingNodes() == ["one"] }
        for expected in [true, false] {
            let text = try #require(try command.ask(question)?.answers["one"])
            let answer = try JSONDecoder().decode(
                ControlMessage.Answer.self,
                from: Data(text.utf8)
            )
            #expect(answer.hasEnded == expected)
        }
        question.session = nil
        let text = try #require(try command.ask(question)?.answers["one"])
        #expect(text.contains("\"session\":8") && !text.contains("\"session\":7"))
        try await one.stop()
    }

    @Test func `event loops that hang hold up no counts for long`() async throws {
        let fixture = try GatewayFixture()
        let audit = fixture.gateway.audit
        let one = try self.node("one", sessions: Sessions([7], hangs: true), audit: audit)
        let other = try self.node("other", sessions: Sessions([8]), audit: audit)
        try await Self.until { try one.store.livingNodes().count == 2 }
        let answers = try #require(
            try other.store.ask(NodeQuestion(actor: "root", patience: .seconds(10)))
        )
        #expect(answers.silent == ["one"] && answers.answers.keys.sorted() == ["other"])
        one.nodes.counts.set(3, of: NodeCount.Row(.user, name: "1"))
        try await Self.until { other.nodes.counts.others(.user, name: "1") == 3 }
        for node in [one, other] { try await node.stop() }
    }

    @Test func `counts that ended leave the memory while the database is away`() async throws {
        let time = Mutex(NIODeadline.now())
        let counts = SharedCounts(now: { time.withLock { $0 } })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = try self.store("one")
        let nodes = try #require(OtherNodes(store, counts: counts, logger: logger))
        let database = PostgreSQLCluster.name(of: self.url)
        try PostgreSQLCluster.shared.get().psql("DROP DATABASE \(database) WITH (FORCE)")
        counts.set(1, of: NodeCount.Row(.failures, name: "mark"), lasting: .minutes(10))
        let fixture = try GatewayFixture()
        nodes.start(
            SessionRequests(sessions: Sessions([]), audit: fixture.gateway.audit),
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
        time.withLock { $0 = $0 + .minutes(11) }
        try await Self.until { counts.size.own == 0 }
        await nodes.stop()
    }

    @Test func `a store in a file has no other nodes`() throws {
        let fixture = try GatewayFixture()
        #expect(fixture.gateway.otherNodes == nil)
    }

    @Test func `a thread that was not started stops at once`() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let nodes = try #require(OtherNodes(try self.store("one"), logger: logger))
        await nodes.stop()
    }
}
