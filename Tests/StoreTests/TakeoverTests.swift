import Access
import Foundation
import Support
import Synchronization
import Testing

@testable import Store

/// Nodes that take over what a dead one left in the journal: once, and never from a living one.
@Suite struct TakeoverTests: Sendable {
    private let nodes: SharedStore

    init() throws {
        self.nodes = try SharedStore()
    }

    private func begin(_ store: PermissionStore, moves: Bool = true) throws -> Int64 {
        try #require(try store.recordTransfer(try self.nodes.transfer(moves: moves)))
    }

    private func append(_ number: Int) throws -> TransferAppend {
        TransferAppend(
            number: number,
            messages: [
                Transfer.Message(
                    source: 1,
                    octets: 10,
                    date: 5,
                    digest: try #require(MessageDigest(octets: Array(repeating: 7, count: 32)))
                )
            ],
            previous: AppendOutcome(number: number - 1, answer: .refused)
        )
    }

    private func fails(_ body: () throws -> Void) -> Bool {
        (try? body()) == nil
    }

    // MARK: - Who is dead

    @Test func `a process is dead after ten seconds without a new sign of life`() {
        let leases = NodeLeases()
        let key = OwningProcess.Key(node: "a", instance: 1)
        let start = ContinuousClock.now
        var sign = OwningProcess(key: key, seen: 5)
        for second in stride(from: 0, to: 10, by: 2) {
            #expect(leases.dead(among: [sign], at: start + .seconds(second)) == [])
        }
        #expect(leases.dead(among: [sign], at: start + .seconds(10)) == [sign])
        sign.seen = 6
        #expect(leases.dead(among: [sign], at: start + .seconds(12)) == [])
        // Its name belongs to another process now, or to none.
        sign.seen = nil
        #expect(leases.dead(among: [sign], at: start + .seconds(14)) == [])
        for second in stride(from: 16, to: 24, by: 2) {
            #expect(leases.dead(among: [sign], at: start + .seconds(second)) == [])
        }
        #expect(leases.dead(among: [sign], at: start + .seconds(24)) == [sign])
    }

    @Test func `a process that stopped cleanly is dead at once`() {
        let sign = OwningProcess(key: .init(node: "a", instance: 1), seen: 0)
        #expect(NodeLeases().dead(among: [sign], at: .now) == [sign])
    }

    /// Nobody could tell that it lives while the database was away.
    @Test func `after an outage of the database the time begins again`() {
        let leases = NodeLeases()
        let sign = OwningProcess(key: .init(node: "a", instance: 1), seen: 5)
        let start = ContinuousClock.now
        #expect(leases.dead(among: [sign], at: start) == [])
        for second in stride(from: 60, to: 70, by: 2) {
            #expect(leases.dead(among: [sign], at: start + .seconds(second)) == [])
        }
        #expect(leases.dead(among: [sign], at: start + .seconds(70)) == [sign])
    }

    // MARK: - Takeover

    @Test func `a living node keeps its entries, also when it only writes the journal`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        let leases = NodeLeases(time: .milliseconds(200))
        for number in 1...8 {
            #expect(try other.takeOver(leases) == [])
            Thread.sleep(forTimeInterval: 0.05)
            // Each write of the journal is a sign of life.
            try one.recordAppend(try self.append(number), of: entry)
        }
        #expect(try one.journalEntry(entry).isOwn)
        #expect(try other.journalEntry(entry) == .takenOver)
    }

    @Test func `a fenced node writes nothing more for an entry that was taken over`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        try one.recordAppend(try self.append(1), of: entry)
        #expect(try self.nodes.takeOver(other) == [entry])
        #expect(try other.journalEntry(entry).isOwn)
        #expect(try one.journalEntry(entry) == .takenOver)
        let before = try other.transfer(entry)
        #expect(self.fails { try one.recordAppend(try self.append(2), of: entry) })
        #expect(self.fails { try one.setTransfer(entry, state: .copied, uids: [1]) })
        #expect(self.fails { try one.recordFound([1: 100], of: entry) })
        #expect(self.fails { try one.leaveTransfer(entry, messages: 1) })
        #expect(self.fails { try one.forgetTransfer(entry) })
        #expect(try other.transfer(entry) == before)
        #expect(try other.copiesLeft().isEmpty)
        // Its messages stay reserved until the other node is done.
        #expect(try one.recordTransfer(try self.nodes.transfer(moves: true)) == nil)
        try other.recordFound([1: 100], of: entry)
        try other.forgetTransfer(entry)
        #expect(try one.journalEntry(entry) == .missing)
        // A COPY whose entry is gone may have been undone: its client must not get OK.
        #expect(self.fails { try one.forgetTransfer(entry) })
        // The node itself goes on.
        _ = try self.begin(one)
    }

    @Test func `of claimants at once exactly one gets each entry`() throws {
        let dead = try self.nodes.node("dead")
        let claimants = try (0..<4).map { try self.nodes.node("node\($0)") }
        for _ in 0..<12 {
            let entries = try (0..<5).map { _ in try self.begin(dead, moves: false) }
            let watches = try claimants.map { try self.nodes.watch($0) }
            let taken = Mutex<[Int64]>([])
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { number in
                do {
                    let got = try watches[number].takeOver()
                    taken.withLock { $0 += got }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(taken.withLock { $0.sorted() } == entries.sorted())
            for claimant in claimants {
                for entry in entries where try claimant.journalEntry(entry).isOwn {
                    try claimant.forgetTransfer(entry)
                }
            }
            #expect(try entries.allSatisfy { try dead.journalEntry($0) == .missing })
        }
    }

    @Test(arguments: [true, false])
    func `a takeover whose COMMIT had no answer is returned later, once`(
        isCommitted: Bool
    ) throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        let watch = try self.nodes.watch(other)
        try self.nodes.psql(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'no answer'; END $$;
            CREATE CONSTRAINT TRIGGER fail AFTER UPDATE ON transfer
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
            """
        )
        #expect(self.fails { _ = try watch.takeOver() })
        try self.nodes.psql("DROP TRIGGER fail ON transfer")
        if isCommitted {
            let instance = try other.read { $0.connection.instance }
            try self.nodes.psql("UPDATE transfer SET node = 'other', instance = \(instance)")
        }
        #expect(try watch.takeOver() == [entry])
        #expect(try watch.takeOver() == [])
        #expect(try other.journalEntry(entry).isOwn)
    }

    @Test func `a new process of a node takes over what the earlier one left`() throws {
        let one = try self.nodes.node("one")
        let entry = try self.begin(one)
        let twin = try self.nodes.node("one")
        // The earlier process still has the name.
        #expect(self.fails { _ = try self.nodes.takeOver(twin) })
        one.close()
        try self.nodes.signalLife(twin)
        #expect(try self.nodes.takeOver(twin) == [entry])
        #expect(try twin.transfers() == [entry])
        // It was only paused: its connections are open, and it has lost its name.
        #expect(self.fails { try one.setTransfer(entry, state: .copied) })
        #expect(self.fails { _ = try self.begin(one, moves: false) })
        #expect(try one.journalEntry(entry) == .takenOver)
    }

    @Test func `entries of a node that was removed or renamed are taken over`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        try self.nodes.psql("DELETE FROM node WHERE name = 'one'")
        #expect(try self.nodes.takeOver(other) == [entry])
        #expect(try other.transfer(entry) != nil)
    }

    @Test func `a node without its name takes nothing over`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        try self.nodes.signalLife(try self.nodes.node("other"))
        #expect(self.fails { _ = try self.nodes.takeOver(other) })
        #expect(try one.journalEntry(entry).isOwn)
    }

    @Test func `a sign of life between the look and the takeover keeps the entries`() throws {
        let (one, other) = (try self.nodes.node("one"), try self.nodes.node("other"))
        let entry = try self.begin(one)
        let leases = NodeLeases(time: .seconds(2))
        let start = ContinuousClock.now
        #expect(try other.takeOver(leases, at: start) == [])
        #expect(try other.takeOver(leases, at: start + .seconds(1)) == [])
        // The look still sees the old sign; the transaction that takes sees the new one.
        let engine = try #require(other.engine as? PostgreSQLEngine)
        try engine.pool.transaction("BEGIN") { connection in
            try connection.run("SELECT 1 FROM storelock WHERE name = 'journal' FOR UPDATE")
            let isDone = DispatchSemaphore(value: 0)
            let taken = Mutex<[Int64]?>(nil)
            Thread.detachNewThread {
                let got = try? other.takeOver(leases, at: start + .seconds(2))
                taken.withLock { $0 = got }
                isDone.signal()
            }
            Thread.sleep(forTimeInterval: 0.3)
            try connection.run("UPDATE node SET seen = seen + 1 WHERE name = 'one'")
            try connection.run("COMMIT")
            isDone.wait()
            #expect(taken.withLock { $0 } == [])
            try connection.run("BEGIN")
        }
        #expect(try one.journalEntry(entry).isOwn)
    }
}

extension JournalEntry {
    /// Whether it belongs to the process that asked.
    fileprivate var isOwn: Bool {
        if case .own = self { return true }
        return false
    }
}
