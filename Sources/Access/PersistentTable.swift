internal import HashTreeCollections

/// A dictionary whose copies share their unchanged parts.
///
/// A copy takes constant time, and a change of a copy takes time in proportion to the logarithm of
/// its size. A snapshot of the store is derived from the one before it this way.
package struct PersistentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var tree: TreeDictionary<Key, Value>

    /// An empty table.
    package init() {
        self.tree = [:]
    }

    /// - Parameter entries: if a key occurs twice, the first entry counts.
    package init(_ entries: some Sequence<(Key, Value)>) {
        self.tree = TreeDictionary(entries) { first, _ in first }
    }

    package var count: Int { self.tree.count }
    package var isEmpty: Bool { self.tree.isEmpty }
    package var values: some Collection<Value> { self.tree.values }
    package var keys: some Collection<Key> { self.tree.keys }

    package subscript(key: Key) -> Value? {
        get { self.tree[key] }
        set { self.tree[key] = newValue }
    }

    /// Changes the value of a key in place.
    /// - Parameter defaultValue: the value if the key has none.
    package subscript(key: Key, default defaultValue: @autoclosure () -> Value) -> Value {
        get { self.tree[key] ?? defaultValue() }
        _modify { yield &self.tree[key, default: defaultValue()] }
    }
}
