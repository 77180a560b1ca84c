import Access

/// The records of several chains in one order: by moment, and at equal moments by node. Records of
/// one chain keep their order.
struct AuditMerge {
    /// Records that one transaction reads, and that a batch has at most. A reader that waits for its
    /// output between two batches holds no transaction, which would keep SQLite's write-ahead log
    /// from being emptied.
    private static let batch = 1_000
    /// Records of all chains that are in memory, and those of one chain at least. More chains than
    /// their quotient have more records in memory together.
    private static let (maximumInMemory, minimumOfChain) = (10_000, 50)

    /// A chain of which records are left.
    private struct Chain {
        var range: AuditRange
        /// Records that were read.
        var entries: ArraySlice<AuditEntry> = []
        /// Whether no record is left in the store.
        var isAtEnd = false
    }

    private let query: AuditQuery
    /// In the order of the nodes' names. None is both empty and at its end.
    private var chains: [Chain]
    /// How many of the first records are left out.
    private var skipping: Int
    /// How many records of a chain are read at once.
    private let limit: Int

    /// Begins before the first record.
    /// - Parameters:
    ///   - ranges: The numbers to read, in the order of the nodes' names.
    ///   - skipping: How many of the first records are left out.
    init(_ query: AuditQuery, ranges: [AuditRange], skipping: Int) {
        self.query = query
        self.chains = ranges.map { Chain(range: $0) }
        self.skipping = skipping
        let share = Self.maximumInMemory / max(ranges.count, 1)
        self.limit = min(max(share, Self.minimumOfChain), Self.batch)
    }

    /// Reads the next batch.
    /// - Returns: No records after the last one.
    mutating func next(_ store: PermissionStore) throws -> [AuditEntry] {
        var merged: [AuditEntry] = []
        while merged.count < Self.batch {
            if self.chains.contains(where: \.entries.isEmpty) { try self.fill(store) }
            guard let index = self.indexOfFirst, let entry = self.chains[index].entries.popFirst()
            else { break }
            if self.skipping > 0 { self.skipping -= 1 } else { merged.append(entry) }
        }
        return merged
    }

    /// The chain with the oldest next record; of equal ones, the first.
    private var indexOfFirst: Int? {
        self.chains.indices.min { one, other in
            guard let one = self.chains[one].entries.first?.moment,
                let other = self.chains[other].entries.first?.moment
            else { return false }
            return one < other
        }
    }

    /// Reads records of each chain that has none in memory, and removes chains that are at their end.
    private mutating func fill(_ store: PermissionStore) throws {
        let (query, limit) = (self.query, self.limit)
        var chains = self.chains
        if chains.contains(where: { $0.entries.isEmpty && !$0.isAtEnd }) {
            try store.read { transaction in
                for index in chains.indices
                where chains[index].entries.isEmpty && !chains[index].isAtEnd {
                    let range = chains[index].range
                    let entries = try query.entries(range, limit: limit, transaction: transaction)
                    chains[index].entries = entries[...]
                    chains[index].isAtEnd = entries.count < limit
                    chains[index].range.first = entries.last?.sequence ?? range.last
                }
            }
        }
        self.chains = chains.filter { !$0.entries.isEmpty }
    }
}
