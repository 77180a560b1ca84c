/// A set of keys in ascending order.
///
/// Most sets have fewer than ten keys, and there is one for each user: an array takes the least
/// memory. A change copies the array at most.
struct SortedKeys<Key: Comparable & Sendable>: Sendable, Sequence {
    private var keys: [Key] = []

    init() {}

    init(_ keys: some Sequence<Key>) {
        for key in keys.sorted() where self.keys.last != key { self.keys.append(key) }
    }

    var isEmpty: Bool { self.keys.isEmpty }
    var first: Key? { self.keys.first }

    func makeIterator() -> IndexingIterator<[Key]> { self.keys.makeIterator() }

    func contains(_ key: Key) -> Bool {
        let index = self.index(of: key)
        return index < self.keys.count && self.keys[index] == key
    }

    mutating func insert(_ key: Key) {
        let index = self.index(of: key)
        guard index == self.keys.count || self.keys[index] != key else { return }
        self.keys.insert(key, at: index)
    }

    mutating func remove(_ key: Key) {
        let index = self.index(of: key)
        guard index < self.keys.count, self.keys[index] == key else { return }
        self.keys.remove(at: index)
    }

    /// The first key that is greater than another one.
    func first(after key: Key) -> Key? {
        var index = self.index(of: key)
        if index < self.keys.count, self.keys[index] == key { index += 1 }
        return index < self.keys.count ? self.keys[index] : nil
    }

    /// The position of the first key that is not less than `key`.
    private func index(of key: Key) -> Int {
        var (low, high) = (0, self.keys.count)
        while low < high {
            let middle = (low + high) / 2
            if self.keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
