import Access

/// The roots of subtrees. Whether a folder lies in one of them costs a few comparisons and no memory, however many
/// roots there are: a list of 60,000 folders is looked through on the event loop.
struct Subtrees {
    /// In hierarchical order, none below another: the one above a folder stands right before it.
    private var roots: [[UInt8]] = []

    init(_ roots: [FolderPath]) {
        for root in roots.map(\.octets).sorted(by: { Self.precedes($0[...], other: $1[...]) })
        where !self.contains(root[...]) {
            self.roots.append(root)
        }
    }

    /// Whether a folder, by its octets, is one of the roots or lies below one.
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

    /// The delimiter comes before all other octets: what is below a name stands right behind it.
    private static func precedes(_ one: ArraySlice<UInt8>, other: ArraySlice<UInt8>) -> Bool {
        one.lexicographicallyPrecedes(other) { Self.rank($0) < Self.rank($1) }
    }

    private static func rank(_ octet: UInt8) -> Int {
        octet == Namespace.delimiter ? -1 : Int(octet)
    }
}
