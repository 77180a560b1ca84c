import Testing

@testable import Gateway

/// Who sends much waits for who sends little, and not the other way round.
@Suite struct FairQueueTests {
    @Test func `senders take turns`() {
        var queue = FairQueue<String, Int>()
        for number in 0..<100 { queue.append(number, from: "many") }
        queue.append(1_000, from: "few")
        queue.append(2_000, from: "other")
        queue.append(1_001, from: "few")
        let first = (0..<6).compactMap { _ in queue.next() }
        #expect(first == [0, 1_000, 2_000, 1, 1_001, 2])
        #expect(queue.count == 97)
        while queue.next() != nil {}
        #expect(queue.count == 0)
    }

    @Test func `the longest sender loses an element, but not to an equally long one`() {
        var queue = FairQueue<String, Int>()
        for number in 0..<3 { queue.append(number, from: "many") }
        queue.append(10, from: "few")
        #expect(queue.makeRoom(for: "new") == 2)
        #expect(queue.makeRoom(for: "few") == nil)
        #expect(queue.makeRoom(for: "many") == nil)
        #expect(queue.makeRoom(for: "new") == 1)
        #expect(queue.makeRoom(for: "new") == nil)
        #expect(queue.count == 2)
        #expect([queue.next(), queue.next(), queue.next()] == [0, 10, nil])
    }
}
