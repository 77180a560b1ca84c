import Access

/// The roots of subtrees. To find out whether a folder is in one of them takes a few comparisons
/// and no memory, however many roots there are, because the event loop searches lists of 60,000
/// folders.
struct Subtrees {
    /// In hierarchical order, and none below another. So the only root that can contain a folder
    /// directly precedes it.
    private var roots: [[UInt8]] = []

    /// - Parameter roots: in any order; those below another root are dropped.
    init(_ roots: [FolderPath]) {
        for root in roots.map(\.octets).sorted(by: { Self.precedes($0[...], other: $1[...]) })
        where !self.contains(root[...]) {
            self.roots.append(root)
        }
    }

    /// Whether a folder, given by its octets, is a root or below one.
    func contains(_ folder: ArraySlice<UInt8>) -> Bool {
        var (low, high) = (0, self.roots.count)
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(folder, other: self.roots[middle][...]) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        guard low > 0, folder.starts(with: self.roots[low - 1]) else { return false }
        let below = folder.dropFirst(self.roots[low - 1].count)
        return below.first.map { $0 == Namespace.delimiter } ?? true
    }

    /// The delimiter sorts before all other octets, so the names below a name directly follow it.
    private static func precedes(_ one: ArraySlice<UInt8>, other: ArraySlice<UInt8>) -> Bool {
        one.lexicographicallyPrecedes(other) { Self.rank($0) < Self.rank($1) }
    }

    private static func rank(_ octet: UInt8) -> Int {
        octet == Namespace.delimiter ? -1 : Int(octet)
    }
}
