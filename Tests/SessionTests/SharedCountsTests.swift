import Access
import NIOCore
import Synchronization
import Testing

@testable import Session

/// A clock that a test sets.
private final class TestClock: Sendable {
    private let time = Mutex(NIODeadline.uptimeNanoseconds(1_000_000_000_000))

    var now: NIODeadline { self.time.withLock { $0 } }

    func pass(_ time: TimeAmount) {
        self.time.withLock { $0 = $0 + time }
    }
}

/// Counts of one gateway that others add to theirs.
@Suite struct SharedCountsTests {
    private let clock = TestClock()
    private let one: SharedCounts
    private let other: SharedCounts
    private let anna = NodeCount.Row(.user, name: "1")

    init() {
        let clock = self.clock
        self.one = SharedCounts(now: { clock.now })
        self.other = SharedCounts(now: { clock.now })
    }

    /// Passes what changed from one to the other, as the store does.
    private func exchange(all: Bool = false, instance: Int64 = 1) {
        var report = NodeReport(isWhole: all)
        report.counts = self.one.changes(all: all).map { (instance, $0) }
        self.other.receive(report)
    }

    private func sum(_ kind: NodeCount.Kind = .user, name: String = "1") -> Int {
        self.other.others(kind, name: name)
    }

    // MARK: - Merging

    @Test func `a count is added on the other gateway, and follows each change`() {
        #expect(self.sum() == 0)
        self.one.set(3, of: self.anna)
        #expect(self.sum() == 0)
        self.exchange()
        #expect(self.sum() == 3 && self.sum(name: "2") == 0 && self.sum(.address) == 0)
        // A gateway never adds its own count.
        #expect(self.one.others(.user, name: "1") == 0)
        self.one.set(5, of: self.anna)
        self.one.set(2, of: self.anna)
        self.exchange()
        #expect(self.sum() == 2)
        self.one.set(0, of: self.anna)
        self.exchange()
        #expect(self.sum() == 0 && self.other.size.others == 0 && self.one.size.own == 0)
    }

    @Test func `the counts of several gateways are summed, each in several parts`() {
        for instance in Int64(1)...3 {
            for part in Int64(10)...12 {
                let row = NodeCount.Row(.messages, name: "1", part: part)
                self.one.set(Int(instance), of: row, lasting: .minutes(10))
            }
            self.exchange(instance: instance)
        }
        #expect(self.sum(.messages) == 18)
    }

    @Test func `only changes are exchanged`() {
        for number in 0..<100 {
            self.one.set(1, of: NodeCount.Row(.user, name: "\(number)"))
        }
        #expect(self.one.changes(all: false).count == 100)
        #expect(self.one.changes(all: false).isEmpty)
        self.one.set(2, of: self.anna)
        #expect(self.one.changes(all: false).map(\.count) == [2])
        #expect(self.one.changes(all: true).count == 100)
    }

    @Test func `a connection that came and went between two exchanges is not written`() {
        self.one.set(1, of: self.anna)
        self.one.set(0, of: self.anna)
        #expect(self.one.changes(all: false).isEmpty && self.one.size.own == 0)
        // One that was written is ended.
        self.one.set(1, of: self.anna)
        #expect(self.one.changes(all: false).map(\.count) == [1])
        self.one.set(0, of: self.anna)
        #expect(self.one.changes(all: false).map(\.count) == [0])
        #expect(self.one.changes(all: false).isEmpty)
    }

    @Test func `a whole report replaces what was known`() {
        self.one.set(3, of: self.anna)
        self.exchange()
        var report = NodeReport(isWhole: true)
        report.counts = [(7, NodeCount(.init(.user, name: "2"), count: 4, remaining: nil))]
        self.other.receive(report)
        #expect(self.sum() == 0 && self.sum(name: "2") == 4)
    }

    // MARK: - Ends

    @Test func `connections of a gateway that ended do not count, its other counts do`() {
        self.one.set(3, of: self.anna)
        self.one.set(4, of: NodeCount.Row(.messages, name: "1"), lasting: .minutes(60))
        self.exchange(instance: 1)
        self.exchange(all: false, instance: 2)
        var report = NodeReport(isWhole: false)
        report.ended = [2]
        self.other.receive(report)
        #expect(self.sum() == 3)
        report.ended = [1]
        self.other.receive(report)
        #expect(self.sum() == 0 && self.sum(.messages) == 4)
    }

    @Test func `a count ends with its time, whether or not the store can be reached`() {
        let row = NodeCount.Row(.failures, name: "mark")
        self.one.set(4, of: row, lasting: .minutes(10))
        self.clock.pass(.minutes(4))
        self.exchange()
        self.clock.pass(.minutes(6) - .milliseconds(1))
        #expect(self.sum(.failures, name: "mark") == 4)
        self.clock.pass(.milliseconds(1))
        #expect(self.sum(.failures, name: "mark") == 0)
    }

    @Test func `without the store, the others' connections count for half a minute`() {
        self.one.set(3, of: self.anna)
        self.one.set(4, of: NodeCount.Row(.messages, name: "1"), lasting: .minutes(60))
        self.exchange()
        self.clock.pass(.seconds(29))
        self.other.receive(NodeReport(isWhole: false))
        self.clock.pass(.seconds(30) - .milliseconds(1))
        #expect(self.sum() == 3)
        self.clock.pass(.milliseconds(1))
        #expect(self.sum() == 0 && self.sum(.messages) == 4)
        self.other.receive(NodeReport(isWhole: false))
        #expect(self.sum() == 3)
    }

    @Test func `a count that ended before it is dropped is not written again`() {
        let row = NodeCount.Row(.failures, name: "mark")
        self.one.set(1, of: row, lasting: .minutes(10))
        self.exchange()
        self.clock.pass(.minutes(10))
        self.one.set(0, of: row, lasting: .minutes(10))
        #expect(self.one.size.own == 0 && self.one.changes(all: false).isEmpty)
    }

    @Test func `a further failure extends a count`() {
        let row = NodeCount.Row(.failures, name: "mark")
        self.one.set(1, of: row, lasting: .minutes(10))
        self.exchange()
        self.clock.pass(.minutes(9))
        self.one.set(2, of: row, lasting: .minutes(10))
        self.exchange()
        self.clock.pass(.minutes(9))
        #expect(self.sum(.failures, name: "mark") == 2)
    }

    @Test func `counts that ended leave the memory of both gateways`() {
        for number in 0..<2_000 {
            let row = NodeCount.Row(.failures, name: "\(number)")
            self.one.set(1, of: row, lasting: .minutes(number % 2 == 0 ? 1 : 10))
        }
        self.exchange()
        #expect(self.one.size.own == 2_000 && self.other.size.others == 2_000)
        self.clock.pass(.minutes(2))
        self.exchange()
        self.one.receive(NodeReport(isWhole: false))
        #expect(self.one.size.own == 1_000 && self.other.size.others == 1_000)
        // What ended is not written again.
        #expect(self.one.changes(all: true).count == 1_000)
    }

    // MARK: - Bounds

    @Test func `a flood of addresses does not hold up the counts of users`() {
        for number in 0..<SharedCounts.maximumRows * 2 {
            self.one.set(1, of: NodeCount.Row(.address, name: "\(number)"))
        }
        self.one.set(1, of: NodeCount.Row(.messages, name: "1"), lasting: .minutes(10))
        self.one.set(1, of: self.anna)
        let first = self.one.changes(all: false)
        #expect(first.count == SharedCounts.maximumRows)
        #expect(first.count { $0.row.key.kind != .address } == 2)
        var rest = 0
        while case let count = self.one.changes(all: false).count, count > 0 { rest += count }
        #expect(rest == SharedCounts.maximumRows + 2)
    }

    // MARK: - Sending

    private static let hour: Int64 = 3_600
    private static let bob = UserID(2)

    private func counter(_ shared: SharedCounts) -> SendingCounter {
        SendingCounter(
            limits: .init(messagesPerHour: 10, recipientsPerHour: 20),
            shared: shared
        )
    }

    @Test func `messages and recipients of a user count on all gateways together`() {
        let (one, other) = (self.counter(self.one), self.counter(self.other))
        let now = Moment(seconds: 1_800_000_000)
        for _ in 0..<6 { #expect(one.addMessage(Self.bob, at: now)) }
        for _ in 0..<15 { #expect(one.addRecipient(Self.bob, at: now)) }
        self.exchange()
        for _ in 0..<4 { #expect(other.addMessage(Self.bob, at: now)) }
        #expect(!other.addMessage(Self.bob, at: now) && !other.mayBegin(Self.bob, at: now))
        for _ in 0..<5 { #expect(other.addRecipient(Self.bob, at: now)) }
        #expect(!other.addRecipient(Self.bob, at: now))
        #expect(other.mayBegin(UserID(3), at: now) && one.mayBegin(Self.bob, at: now))
    }

    @Test(arguments: [Int64(0), -7_200, 7_200, 86_400, -599, 599])
    func `clocks that differ do not change when a message is an hour old`(difference: Int64) {
        let (one, other) = (self.counter(self.one), self.counter(self.other))
        // The beginning of a part of ten minutes.
        let now = Moment(seconds: 1_800_000_000)
        for _ in 0..<10 { _ = one.addMessage(Self.bob, at: now) }
        self.exchange()
        let there = now.seconds + difference
        #expect(!other.mayBegin(Self.bob, at: Moment(seconds: there)))
        self.clock.pass(.seconds(Self.hour - 1))
        #expect(!other.mayBegin(Self.bob, at: Moment(seconds: there + Self.hour - 1)))
        self.clock.pass(.seconds(1))
        #expect(other.mayBegin(Self.bob, at: Moment(seconds: there + Self.hour)))
    }

    @Test func `a recipient that is withdrawn counts on no gateway`() {
        let (one, other) = (self.counter(self.one), self.counter(self.other))
        let now = Moment(seconds: 1_800_000_000)
        let later = Moment(seconds: now.seconds + 1_200)
        for _ in 0..<15 { #expect(one.addRecipient(Self.bob, at: now)) }
        #expect(one.addRecipient(Self.bob, at: later))
        self.exchange()
        for _ in 0..<5 { one.removeRecipient(Self.bob, countedAt: now, at: later) }
        self.exchange()
        for _ in 0..<9 { #expect(other.addRecipient(Self.bob, at: later)) }
        #expect(!other.addRecipient(Self.bob, at: later))
        // One that was counted an hour ago counts no more, and is withdrawn from nothing else.
        let hour = Moment(seconds: now.seconds + Self.hour)
        one.removeRecipient(Self.bob, countedAt: now, at: hour)
        one.removeRecipient(Self.bob, countedAt: Moment(seconds: now.seconds + 600), at: hour)
        for _ in 0..<19 { #expect(one.addRecipient(Self.bob, at: hour)) }
        #expect(!one.addRecipient(Self.bob, at: hour))
    }

    @Test func `a counter without other gateways counts as before`() {
        let counter = SendingCounter(limits: .init(messagesPerHour: 2, recipientsPerHour: 1))
        let now = Moment(seconds: 1_800_000_000)
        #expect(counter.addMessage(Self.bob, at: now) && counter.addMessage(Self.bob, at: now))
        #expect(!counter.addMessage(Self.bob, at: now))
        #expect(counter.addRecipient(Self.bob, at: now) && !counter.addRecipient(Self.bob, at: now))
        #expect(counter.addMessage(Self.bob, at: Moment(seconds: now.seconds + Self.hour)))
    }
}
