import Access
import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import Store
import Synchronization
import Testing

@testable import Gateway

/// Records on their way to the disk: none lost without a word, none twice, all in order.
@Suite(.timeLimit(.minutes(20))) struct AuditLogTests {
    /// A log on a loop whose time the test moves on.
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let time = ManualTime()
        let log: AuditLog
        let loop = NIOAsyncTestingEventLoop()
        let told = Mutex<[Bool]>([])

        init(days: Int? = nil) throws {
            self.fixture = try StoreFixture([])
            self.log = AuditLog(
                store: self.fixture.store,
                masterKey: self.fixture.masterKey,
                days: days,
                logger: self.fixture.log.logger,
                now: { [time = self.time] in time.moment }
            )
        }

        func start() async throws {
            self.log.start(on: self.loop) { isAvailable in
                self.told.withLock { $0.append(isAvailable) }
            }
            try await self.settle()
        }

        /// Waits until the thread that writes has nothing to do.
        func settle() async throws {
            try await self.log.pool.runIfActive {}
        }

        /// The next time at which the log is written.
        func advance(by time: TimeAmount = .milliseconds(200)) async throws {
            self.time.advance(by: time)
            await self.loop.advanceTime(by: time)
            try await self.settle()
        }

        func append(
            _ event: String,
            actor: String = "anna",
            outcome: AuditRecord.Outcome = .allowed
        ) {
            self.log.append(AuditRecord(event: event, outcome: outcome, actor: actor))
        }

        /// The events in the store, without changes of the store itself.
        func events() throws -> [String] {
            try self.fixture.store.auditEntries().map(\.record.event)
        }

        /// Makes the store's table one that takes nothing, or takes records again.
        func breakStore() throws {
            try self.execute(
                """
                CREATE TRIGGER broken BEFORE INSERT ON audit
                BEGIN SELECT RAISE(ABORT, 'the disk is full'); END
                """
            )
        }

        func repairStore() throws {
            try self.execute("DROP TRIGGER broken")
        }

        private func execute(_ sql: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "python3", "-c",
                """
                import sqlite3, sys
                store = sqlite3.connect(sys.argv[1], timeout=30)
                store.execute(sys.argv[2])
                store.commit()
                """,
                self.fixture.store.path, sql,
            ]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }

    @Test func `records are written in the order of their arrival, at the next interval`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        #expect(try bench.events() == ["gateway start"])
        for number in 0..<100 { bench.append("event \(number)") }
        #expect(try bench.events() == ["gateway start"])
        try await bench.advance(by: .milliseconds(199))
        #expect(try bench.events() == ["gateway start"])
        try await bench.advance(by: .milliseconds(1))
        #expect(try bench.events() == ["gateway start"] + (0..<100).map { "event \($0)" })
        let entries = try bench.fixture.store.auditEntries()
        #expect(entries.map(\.sequence) == Array(1...101))
        bench.log.cancel()
        try await bench.log.stop()
    }

    // MARK: - Records that somebody waits for

    /// What became of records that somebody waits for, in order.
    private final class Outcomes: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ text: String) { self.all.withLock { $0.append(text) } }
        var texts: [String] { self.all.withLock { $0 } }
    }

    @Test func `a commit is written before the interval, with all records before it`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        bench.append("earlier")
        let outcomes = Outcomes()
        bench.log.commit(AuditRecord(event: "select", actor: "anna"), on: bench.loop) {
            outcomes.add("\($0)")
        }
        // Nothing is told before the loop runs, and nothing on another thread.
        #expect(outcomes.texts == [])
        try await bench.settle()
        #expect(try bench.events() == ["gateway start", "earlier", "select"])
        await bench.loop.run()
        #expect(outcomes.texts == ["true"])
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `commits that arrive during a write share the next transaction`() async throws {
        let bench = try Bench()
        try await bench.start()
        let isFree = DispatchSemaphore(value: 0)
        bench.log.pool.submit { _ in isFree.wait() }
        let outcomes = Outcomes()
        for number in 0..<50 {
            bench.log.commit(AuditRecord(event: "event \(number)", actor: "anna"), on: bench.loop) {
                outcomes.add("\(number) \($0)")
            }
        }
        await bench.loop.run()
        #expect(outcomes.texts == [])
        isFree.signal()
        try await bench.settle()
        for _ in 0..<3 { await bench.loop.advanceTime(by: .milliseconds(1)) }
        #expect(outcomes.texts == (0..<50).map { "\($0) true" })
        #expect(try bench.events().count == 51)
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `a commit that the store refuses fails after shared access was closed`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        try bench.breakStore()
        let outcomes = Outcomes()
        bench.log.commit(AuditRecord(event: "select", actor: "anna"), on: bench.loop) { committed in
            outcomes.add("\(committed), told \(bench.told.withLock { $0 })")
        }
        try await bench.settle()
        await bench.loop.run()
        #expect(outcomes.texts == ["false, told [false]"])
        // The record is not lost: it is written once the store takes records.
        try bench.repairStore()
        try await bench.advance()
        #expect(try bench.events().contains("select"))
        #expect(outcomes.texts.count == 1)
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `a commit fails if the store does not answer for ten seconds`() async throws {
        let bench = try Bench()
        try await bench.start()
        let isFree = DispatchSemaphore(value: 0)
        bench.log.pool.submit { _ in isFree.wait() }
        let outcomes = Outcomes()
        bench.log.commit(AuditRecord(event: "select", actor: "anna"), on: bench.loop) {
            outcomes.add("\($0)")
        }
        await bench.loop.advanceTime(by: .seconds(10))
        #expect(outcomes.texts == [])
        await bench.loop.advanceTime(by: .milliseconds(400))
        #expect(outcomes.texts == ["false"])
        isFree.signal()
        try await bench.settle()
        await bench.loop.run()
        #expect(outcomes.texts == ["false"])
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `a commit that finds the queue full fails`() async throws {
        let bench = try Bench()
        try await bench.start()
        for number in 0..<AuditLog.maximumWaiting { bench.append("event \(number)") }
        let outcomes = Outcomes()
        bench.log.commit(AuditRecord(event: "select", actor: "anna"), on: bench.loop) {
            outcomes.add("\($0)")
        }
        await bench.loop.run()
        #expect(outcomes.texts == ["false"])
        bench.log.cancel()
        try await bench.log.stop()
    }

    // MARK: - Batches

    @Test func `records of more than one batch are written at once, and none twice`() async throws {
        let bench = try Bench()
        try await bench.start()
        for number in 0..<4_500 { bench.append("event \(number)") }
        try await bench.advance()
        try await bench.advance()
        #expect(try bench.events() == ["gateway start"] + (0..<4_500).map { "event \($0)" })
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `waiting records are written at the end, followed by the record of the stop`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        for number in 0..<10 { bench.append("event \(number)") }
        bench.log.cancel()
        try await bench.advance(by: .seconds(5))
        #expect(try bench.events() == ["gateway start"], "nothing is written by itself any more")
        try await bench.log.stop()
        let written = try bench.events()
        #expect(written == ["gateway start"] + (0..<10).map { "event \($0)" } + ["gateway stop"])
        #expect(try bench.fixture.store.verifyAudit(bench.fixture.masterKey).problems == [])
    }

    @Test func `a failing store is logged once, and so is its recovery`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        #expect(bench.told.withLock { $0 } == [])
        try bench.breakStore()
        for number in 0..<3 {
            bench.append("event \(number)")
            try await bench.advance()
        }
        #expect(bench.told.withLock { $0 } == [false])
        #expect(bench.fixture.log.count("the audit log cannot be written") == 1)
        #expect(try bench.events() == ["gateway start"])
        try bench.repairStore()
        try await bench.advance()
        #expect(bench.told.withLock { $0 } == [false, true])
        #expect(bench.fixture.log.count("the audit log can be written again") == 1)
        // In order, and each once.
        #expect(try bench.events() == ["gateway start", "event 0", "event 1", "event 2"])
        try bench.breakStore()
        bench.append("event 3")
        try await bench.advance()
        #expect(bench.told.withLock { $0 } == [false, true, false])
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `lost records are one record after those that fit into the queue`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        try bench.breakStore()
        for number in 0..<AuditLog.maximumWaiting + 7 { bench.append("event \(number)") }
        try await bench.advance()
        #expect(bench.told.withLock { $0 } == [false])
        try bench.repairStore()
        try await bench.advance()
        let entries = try bench.fixture.store.auditEntries()
        #expect(entries.count == AuditLog.maximumWaiting + 2)
        let lost = try #require(entries.last?.record)
        #expect(lost.event == "lost" && lost.outcome == .failed && lost.actor == "gatepost")
        #expect(lost.count == 7)
        #expect(bench.told.withLock { $0 } == [false, true])
        // There is room again.
        bench.append("later")
        try await bench.advance()
        #expect(try bench.events().last == "later")
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `refusals beyond the limit are counted in the minute of their arrival`()
        async throws
    {
        let bench = try Bench()
        try await bench.start()
        try await bench.advance(by: .seconds(60))
        for _ in 0..<AuditRateLimiter.maximum + 30 {
            bench.append("select", actor: "mallory", outcome: .refused)
        }
        try await bench.advance()
        #expect(try bench.events().count { $0 == "select" } == AuditRateLimiter.maximum)
        #expect(try !bench.events().contains("further"))
        try await bench.advance(by: .seconds(60))
        let further = try bench.fixture.store.auditEntries().map(\.record)
            .filter { $0.event == "further" }
        #expect(further.map(\.count) == [30] && further.map(\.actor) == ["mallory"])
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `counted records are written at the end, even within the minute`() async throws {
        let bench = try Bench()
        try await bench.start()
        for _ in 0..<AuditRateLimiter.maximum + 5 {
            bench.append("select", actor: "mallory", outcome: .refused)
        }
        for _ in 0..<4 { bench.append("login", actor: "anna") }
        bench.log.cancel()
        try await bench.log.stop()
        let records = try bench.fixture.store.auditEntries().map(\.record)
        #expect(records.filter { $0.event == "further" }.map(\.count) == [5])
        #expect(records.filter { $0.event == "login" }.map(\.count) == [nil, 3])
    }

    @Test(arguments: [nil, 1, 30] as [Int?])
    func `records are kept for the days that are configured`(days: Int?) async throws {
        let bench = try Bench(days: days)
        try await bench.start()
        bench.append("old")
        try await bench.advance()
        // Days pass, and the loop has an hour of them: it is looked once in an hour.
        bench.time.advance(by: .hours(24 * Int64(days ?? 1)))
        bench.append("young")
        try await bench.advance()
        try await bench.advance(by: .hours(1))
        let events = try bench.events()
        #expect(events.contains("old") == (days == nil))
        #expect(events.contains("young"))
        #expect(bench.fixture.log.count("old audit records deleted") == (days == nil ? 0 : 1))
        #expect(try bench.fixture.store.verifyAudit(bench.fixture.masterKey).problems == [])
        bench.log.cancel()
        try await bench.log.stop()
    }

    @Test func `the log is sealed each minute in which something was written`() async throws {
        let bench = try Bench()
        try await bench.start()
        let first = bench.fixture.log.count("audit log sealed")
        #expect(first == 1)
        try await bench.advance(by: .seconds(60))
        #expect(bench.fixture.log.count("audit log sealed") == first)
        bench.append("event")
        try await bench.advance(by: .seconds(60))
        try await bench.advance(by: .seconds(60))
        #expect(bench.fixture.log.count("audit log sealed") == first + 1)
        bench.log.cancel()
        try await bench.log.stop()
        let verified = try bench.fixture.store.verifyAudit(bench.fixture.masterKey)
        #expect(verified.problems == [] && verified.only?.sealed == verified.only?.last)
    }

    @Test func `concurrent writers lose and repeat no record`() async throws {
        let bench = try Bench()
        try await bench.start()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<200 { bench.append("event \(task * 1_000 + number)") }
                }
            }
        }
        try await bench.advance()
        try await bench.advance()
        let events = try bench.events().dropFirst()
        #expect(events.count == 1_600 && Set(events).count == 1_600)
        // Each task's own in its order.
        for task in 0..<8 {
            let own = events.compactMap { Int($0.dropFirst("event ".count)) }
                .filter { $0 / 1_000 == task }
            #expect(own == own.sorted())
        }
        bench.log.cancel()
        try await bench.log.stop()
    }
}
