import Support
import Testing

@testable import Gateway

/// Groups take turns, and the senders of a group.
@Suite struct GroupedFairQueueTests {
    /// An element and where it came from.
    private struct Entry: Equatable {
        var number: Int
        var sender: Int
        var group: Int
    }

    @Test func `a group has one turn, however many senders it has`() {
        var queue = GroupedFairQueue<String, Int, String>()
        for sender in 0..<100 { queue.append("many", from: sender, in: "a") }
        queue.append("few", from: 0, in: "b")
        queue.append("few", from: 0, in: "c")
        #expect((0..<4).compactMap { _ in queue.next() } == ["many", "few", "few", "many"])
        #expect(queue.count == 98 && queue.count(of: "a") == 98 && queue.count(of: "b") == 0)
    }

    @Test func `the longest group loses an element, then the longest sender of the own group`() {
        var queue = GroupedFairQueue<String, Int, Int>()
        for number in 0..<4 { queue.append(number, from: number, in: "a") }
        queue.append(10, from: 0, in: "b")
        for left in [3, 2] {
            #expect(queue.makeRoom(for: 0, in: "b") != nil && queue.count(of: "a") == left)
        }
        #expect(queue.makeRoom(for: 1, in: "b") == nil)
        for number in 11..<14 { queue.append(number, from: 0, in: "b") }
        #expect(queue.makeRoom(for: 1, in: "b") == 13)
        #expect(queue.count == 5)
    }

    /// Against a list.
    @Test(arguments: 0..<8)
    func `each element leaves once, in the order of its sender`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var queue = GroupedFairQueue<Int, Int, Entry>()
        var model: [Entry] = []
        for number in 0..<1_000 {
            let group = Int.random(in: 0..<4, using: &random)
            let sender = Int.random(in: 0..<5, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                let entry = Entry(number: number, sender: sender, group: group)
                queue.append(entry, from: sender, in: group)
                model.append(entry)
            case 3:
                let entry = queue.next()
                let oldest = model.first {
                    $0.sender == entry?.sender && $0.group == entry?.group
                }
                #expect(entry == oldest && (entry == nil) == model.isEmpty)
                model.removeAll { $0 == entry }
            case 4:
                let wanted = model.last { $0.sender == sender && $0.group == group }
                #expect(queue.remove(from: sender, in: group) { $0 == wanted } == wanted)
                model.removeAll { $0 == wanted }
            default:
                guard let gone = queue.makeRoom(for: sender, in: group) else { break }
                let newest = model.last { $0.sender == gone.sender && $0.group == gone.group }
                #expect(gone == newest)
                let own = model.count { $0.group == group }
                #expect(gone.group == group || model.count { $0.group == gone.group } > own + 1)
                model.removeAll { $0 == gone }
            }
            #expect(queue.count == model.count, "step \(number)")
        }
    }
}
