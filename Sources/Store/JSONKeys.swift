/// The keys that an object may have, and which of them it must have.
struct JSONKeys<Key: CaseIterable & RawRepresentable<String> & Equatable & Sendable>: Sendable {
    /// All keys.
    let all: [Key]
    /// The names of all keys, one behind the other.
    private let octets: [UInt8]
    /// Where each name ends in ``octets``.
    private let ends: [Int]
    /// The required keys, one bit each.
    private let required: UInt32

    /// All cases of a type with at most 32 of them.
    /// - Parameter required: The keys that an object must have.
    init(_ type: Key.Type, required: [Key] = []) {
        let all = Array(type.allCases)
        self.all = all
        self.octets = all.flatMap { Array($0.rawValue.utf8) }
        var end = 0
        self.ends = all.map { key in
            end += key.rawValue.utf8.count
            return end
        }
        self.required = all.enumerated().reduce(0) { bits, key in
            required.contains(key.element) ? bits | 1 << UInt32(key.offset) : bits
        }
    }

    /// The name of the key at an index.
    func name(_ index: Int) -> String { self.all[index].rawValue }

    /// The index of the key with this name.
    func index(of name: UnsafeRawBufferPointer) -> Int? {
        self.octets.withUnsafeBytes { octets in
            var start = 0
            for (index, end) in self.ends.enumerated() {
                if end - start == name.count,
                    octets[start..<end].elementsEqual(name)
                {
                    return index
                }
                start = end
            }
            return nil
        }
    }

    /// The index of the key with this name.
    func index(of name: String) -> Int? {
        Array(name.utf8).withUnsafeBytes(self.index)
    }

    /// The name of the first required key that is not among the seen ones.
    /// - Parameter seen: One bit for each key.
    func missing(in seen: UInt32) -> String? {
        let missing = self.required & ~seen
        return missing == 0 ? nil : self.name(missing.trailingZeroBitCount)
    }
}
