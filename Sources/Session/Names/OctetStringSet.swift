package import Access

/// Strings of octets in one block of memory, each once and numbered in the order of insertion: 60,000 folder paths
/// of 40 octets take 3 MiB, and are freed at once.
///
/// The table is an open hash table with linear probing, and its hash is seeded at random, so that nobody can choose
/// strings that collide.
package struct OctetStringSet: Sendable {
    /// The octets of all strings, one behind another.
    private var octets: [UInt8] = []
    /// Where each string begins in `octets`, in the order of insertion, and where the last one ends.
    private var bounds: [UInt32] = [0]
    /// Indices into `bounds` plus one; 0 is free. Its size is a power of two.
    private var slots: [UInt32] = []

    /// The hash of each string, so that a larger table is filled without the strings.
    private var hashes: [Int] = []

    package var count: Int { self.bounds.count - 1 }

    /// Octets of all strings.
    package var octetCount: Int { self.octets.count }

    package init() {}

    /// - Returns: the string's number, and whether it was not there before.
    @discardableResult
    package mutating func insert(_ string: [UInt8]) -> (index: Int, isNew: Bool) {
        if (self.count + 1) * 2 > self.slots.count { self.grow() }
        let hash = Self.hash(string)
        let slot = self.slot(of: string, hash)
        if self.slots[slot] != 0 { return (Int(self.slots[slot]) - 1, false) }
        self.hashes.append(hash)
        self.octets += string
        self.bounds.append(UInt32(self.octets.count))
        self.slots[slot] = UInt32(self.count)
        return (self.count - 1, true)
    }

    package func contains(_ string: [UInt8]) -> Bool { self.index(of: string) != nil }

    /// The string's number, in the order of insertion.
    package func index(of string: [UInt8]) -> Int? {
        guard !self.slots.isEmpty else { return nil }
        let index = Int(self.slots[self.slot(of: string, Self.hash(string))])
        return index == 0 ? nil : index - 1
    }

    /// - Parameter index: less than `count`.
    package func string(at index: Int) -> [UInt8] {
        Array(self.octets[Int(self.bounds[index])..<Int(self.bounds[index + 1])])
    }

    private static func hash(_ string: [UInt8]) -> Int {
        var hasher = Hasher()
        string.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The slot that holds the string with these octets, or the free one where it belongs.
    private func slot(of string: [UInt8], _ hash: Int) -> Int {
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

    /// The first paths whose octets fulfil a condition, in the order of insertion. Others cost no path.
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
