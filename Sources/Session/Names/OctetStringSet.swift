package import Access

/// A set of octet strings in one block of memory, numbered in the order of insertion: 60,000 folder
/// paths of 40 octets take 3 MiB, and are freed at once.
///
/// An open hash table with linear probing. The hash has a random seed, so that nobody can choose
/// strings that collide.
package struct OctetStringSet: Sendable {
    /// The octets of all strings.
    private var octets: [UInt8] = []
    /// The start of each string in `octets`, in the order of insertion, and the end of the last
    /// one.
    private var bounds: [UInt32] = [0]
    /// The hash table: indices into `bounds` plus one; 0 is free. Its size is a power of two.
    private var slots: [UInt32] = []

    /// The hash of each string, so that the table can grow without hashing them again.
    private var hashes: [Int] = []

    /// The number of strings.
    package var count: Int { self.bounds.count - 1 }

    /// Octets of all strings.
    package var octetCount: Int { self.octets.count }

    /// An empty set.
    package init() {}

    /// Adds a string unless it is in the set.
    /// - Returns: the string's number, and whether it was added.
    @discardableResult
    package mutating func insert(_ string: [UInt8]) -> (index: Int, isNew: Bool) {
        if (self.count + 1) * 2 > self.slots.count { self.grow() }
        let hash = Self.hash(string)
        let slot = self.slot(of: string, hash: hash)
        if self.slots[slot] != 0 { return (Int(self.slots[slot]) - 1, false) }
        self.hashes.append(hash)
        self.octets += string
        self.bounds.append(UInt32(self.octets.count))
        self.slots[slot] = UInt32(self.count)
        return (self.count - 1, true)
    }

    /// Whether the string is in the set.
    package func contains(_ string: [UInt8]) -> Bool { self.index(of: string) != nil }

    /// The number of a string, in the order of insertion; nil if it is not in the set.
    package func index(of string: [UInt8]) -> Int? {
        guard !self.slots.isEmpty else { return nil }
        let index = Int(self.slots[self.slot(of: string, hash: Self.hash(string))])
        return index == 0 ? nil : index - 1
    }

    /// The string with a number.
    /// - Parameter index: less than `count`.
    package func string(at index: Int) -> [UInt8] {
        Array(self.octets[Int(self.bounds[index])..<Int(self.bounds[index + 1])])
    }

    private static func hash(_ string: [UInt8]) -> Int {
        var hasher = Hasher()
        string.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The slot of the string, or the free slot where it belongs.
    private func slot(of string: [UInt8], hash: Int) -> Int {
        let mask = self.slots.count - 1
        var slot = hash & mask
        while self.slots[slot] != 0 {
            let index = Int(self.slots[slot])
            if self.hashes[index - 1] != hash {
                slot = (slot + 1) & mask
                continue
            }
            let known = self.octets[Int(self.bounds[index - 1])..<Int(self.bounds[index])]
            if known.count == string.count, known.elementsEqual(string) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Doubles the table.
    private mutating func grow() {
        self.slots = Array(repeating: 0, count: max(16, self.slots.count * 2))
        let mask = self.slots.count - 1
        for (index, hash) in self.hashes.enumerated() {
            var slot = hash & mask
            while self.slots[slot] != 0 { slot = (slot + 1) & mask }
            self.slots[slot] = UInt32(index + 1)
        }
    }
}

/// Folder paths, which compare as octets.
extension OctetStringSet {
    package mutating func insert(_ folder: FolderPath) {
        self.insert(folder.octets)
    }

    package func contains(_ folder: FolderPath) -> Bool {
        self.contains(folder.octets)
    }

    /// The first paths whose octets satisfy a condition, in the order of insertion. No path is made
    /// for the others.
    package func first(
        _ limit: Int,
        where isIncluded: (ArraySlice<UInt8>) -> Bool
    ) -> [FolderPath] {
        var paths: [FolderPath] = []
        for (start, end) in zip(self.bounds, self.bounds.dropFirst()) where paths.count < limit {
            let octets = self.octets[Int(start)..<Int(end)]
            guard isIncluded(octets), let path = FolderPath(octets: Array(octets)) else { continue }
            paths.append(path)
        }
        return paths
    }
}
