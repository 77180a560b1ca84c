import Support
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

    /// Against a list for each sender.
    @Test(arguments: 0..<8)
    func `each sender has one turn in a round, and its elements keep their order`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var queue = FairQueue<Int, Int>()
        var model: [Int: [Int]] = [:]
        for number in 0..<1_000 {
            let sender = Int.random(in: 0..<6, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                queue.append(number, from: sender)
                model[sender, default: []].append(number)
            case 3:
                let expected = queue.first
                let element = queue.next()
                #expect(element == expected && (element == nil) == model.isEmpty)
                guard let element else { break }
                let owner = model.first { $0.value.first == element }?.key
                #expect(owner != nil)
                for key in [owner].compactMap(\.self) { model[key]?.removeFirst() }
            case 4:
                let wanted = model[sender]?.randomElement(using: &random)
                #expect(queue.remove(from: sender) { $0 == wanted } == wanted)
                model[sender]?.removeAll { $0 == wanted }
            default:
                let own = model[sender]?.count ?? 0
                let longest = model.values.map(\.count).max() ?? 0
                let gone = queue.makeRoom(for: sender)
                #expect((gone != nil) == (longest > own + 1))
                guard let owner = model.first(where: { $0.value.last == gone })?.key else { break }
                #expect(model[owner]?.count == longest)
                model[owner]?.removeLast()
            }
            model = model.filter { !$0.value.isEmpty }
            #expect(queue.count == model.values.map(\.count).reduce(0, +), "step \(number)")
            #expect(queue.count(of: sender) == model[sender]?.count ?? 0)
        }
    }
}
