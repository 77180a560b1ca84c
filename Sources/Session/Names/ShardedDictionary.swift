/// A dictionary that grows in small steps.
///
/// A `Dictionary` moves all entries when it grows. With 60,000 names that takes 15 milliseconds,
/// during which the event loop is blocked. Here the entries are divided among several dictionaries,
/// each of which grows on its own. The hash has a random seed, so that nobody can choose keys that
/// fill one of them.
struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// With a million entries, one dictionary moves 16,000, which takes about 2 milliseconds.
    private static var shardCount: Int { 64 }

    /// A key with its hash, so that a growing dictionary does not hash the key again.
    private struct HashedKey: Hashable {
        let key: Key
        let hash: Int

        init(_ key: Key) {
            self.key = key
            self.hash = key.hashValue
        }

        static func == (one: Self, other: Self) -> Bool {
            one.hash == other.hash && one.key == other.key
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(self.hash)
        }
    }

    /// Empty before the first entry.
    private var shards: [[HashedKey: Value]] = []
    private(set) var count = 0

    init() {}

    subscript(key: Key) -> Value? {
        guard !self.shards.isEmpty else { return nil }
        let hashed = HashedKey(key)
        return self.shards[Self.shard(of: hashed)][hashed]
    }

    func contains(_ key: Key) -> Bool { self[key] != nil }

    /// Sets the value of a key.
    /// - Returns: the previous value.
    @discardableResult
    mutating func updateValue(_ value: Value, forKey key: Key) -> Value? {
        if self.shards.isEmpty { self.shards = Array(repeating: [:], count: Self.shardCount) }
        let hashed = HashedKey(key)
        let previous = self.shards[Self.shard(of: hashed)].updateValue(value, forKey: hashed)
        if previous == nil { self.count += 1 }
        return previous
    }

    /// Removes the value of a key.
    /// - Returns: the removed value.
    @discardableResult
    mutating func removeValue(forKey key: Key) -> Value? {
        guard !self.shards.isEmpty else { return nil }
        let hashed = HashedKey(key)
        let previous = self.shards[Self.shard(of: hashed)].removeValue(forKey: hashed)
        if previous != nil { self.count -= 1 }
        return previous
    }

    private static func shard(of key: HashedKey) -> Int {
        key.hash & (Self.shardCount - 1)
    }
}
