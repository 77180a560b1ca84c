import Support
import Testing

@testable import Gateway

/// Turns of senders that come and leave, and the sender with the most elements.
@Suite struct TurnOrderTests {
    @Test func `senders have their turns in the order in which they came`() {
        var order = TurnOrder<String>()
        for sender in ["a", "b", "c"] { order.append(sender) }
        #expect(order.first == "a")
        #expect([order.popFirst(), order.popFirst(), order.popFirst()] == ["a", "b", "c"])
        #expect(order.popFirst() == nil && order.first == nil)
    }

    @Test func `a sender that left and came back has one turn, at the end`() {
        var order = TurnOrder<String>()
        for sender in ["a", "b", "c"] { order.append(sender) }
        order.remove("b")
        order.remove("b")
        order.append("b")
        #expect([order.popFirst(), order.popFirst(), order.popFirst()] == ["a", "c", "b"])
        #expect(order.popFirst() == nil)
    }

    @Test func `a removed sender at the front is not first`() {
        var order = TurnOrder<String>()
        for sender in ["a", "b"] { order.append(sender) }
        order.remove("a")
        #expect(order.first == "b" && order.popFirst() == "b")
    }

    /// Against a list.
    @Test(arguments: 0..<8)
    func `no turn is lost or taken twice`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var order = TurnOrder<Int>()
        var model: [Int] = []
        for _ in 0..<2_000 {
            let sender = Int.random(in: 0..<60, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                guard !model.contains(sender) else { break }
                order.append(sender)
                model.append(sender)
            case 2, 3:
                order.remove(sender)
                model.removeAll { $0 == sender }
            default:
                #expect(order.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(order.first == model.first)
        }
    }

    /// Against a dictionary.
    @Test(arguments: 0..<8)
    func `the sender with the most elements is found`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var index = LengthIndex<Int>()
        var model: [Int: Int] = [:]
        #expect(index.longest == 0 && index.first == nil)
        for _ in 0..<2_000 {
            let sender = Int.random(in: 0..<10, using: &random)
            let old = model[sender, default: 0]
            let new = Bool.random(using: &random) ? old + 1 : max(old - 1, 0)
            guard new != old else { continue }
            index.changed(sender, from: old, to: new)
            model[sender] = new
            #expect(index.longest == model.values.max())
            #expect(index.first.flatMap { model[$0] } == (index.longest == 0 ? nil : index.longest))
        }
    }
}
