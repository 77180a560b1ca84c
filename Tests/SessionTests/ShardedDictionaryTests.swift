import Support
import Testing

@testable import Session

@Suite struct ShardedDictionaryTests {
    @Test func `a sharded dictionary returns the same values as a dictionary`() {
        var model: [[UInt8]: Int] = [:]
        var sharded = ShardedDictionary<[UInt8], Int>()
        var generator = SystemRandomNumberGenerator()
        for step in 0..<20_000 {
            let key = Array(String(Int.random(in: 0..<3_000, using: &generator)).utf8)
            if Bool.random(using: &generator) {
                #expect(
                    sharded.updateValue(step, forKey: key) == model.updateValue(step, forKey: key)
                )
            } else {
                #expect(sharded.removeValue(forKey: key) == model.removeValue(forKey: key))
            }
            #expect(sharded.count == model.count)
        }
        for number in 0..<3_000 {
            let key = Array(String(number).utf8)
            #expect(sharded[key] == model[key])
            #expect(sharded.contains(key) == (model[key] != nil))
        }
    }

    /// An insertion into a dictionary of 60,000 names takes a thousand times as long when the dictionary grows.
    @Test func `no insertion takes as long as the growth of a dictionary`() {
        let names = (0..<60_000).map { Array("Ordner/\($0 % 100)/Akte-\($0)".utf8) }
        func longest(_ insert: ([UInt8]) -> Void) -> UInt64 {
            names.map { name in
                let start = StallMeter.now
                insert(name)
                return StallMeter.now - start
            }.max() ?? 0
        }
        var ratio = 0.0
        for _ in 0..<5 where ratio < 8 {
            var sharded = ShardedDictionary<[UInt8], [Int]>()
            var plain: [[UInt8]: [Int]] = [:]
            let own = longest { sharded.updateValue([1], forKey: $0) }
            let whole = longest { plain[$0] = [1] }
            ratio = max(ratio, Double(whole) / Double(max(own, 1)))
        }
        #expect(ratio > 4, "a dictionary's longest takes \(ratio) times as long")
    }
}
