import IMAP

/// Names in the order of a listing: INBOX first, then by octets.
///
/// Names are sorted in runs of limited length as they are inserted, and the runs are merged as
/// names are taken. So no single call has to sort all of them, which would block the event loop.
struct NameOrder {
    /// Names in a run. Sorting one run takes a fraction of a millisecond.
    private static let runLength = 256
    private static let inbox = MailboxName.inbox

    /// A sorted run.
    private struct Run {
        /// In descending order: the next name is the last.
        var names: [[UInt8]]
    }

    /// The run that is being filled, in order of insertion.
    private var open: [[UInt8]] = []
    private var runs: [Run] = []
    /// A binary heap of the indices of runs with names left, ordered by their next name.
    private var heap: [Int] = []

    /// Whether `one` comes before `other` in a listing.
    static func precedes(_ one: [UInt8], other: [UInt8]) -> Bool {
        if one == Self.inbox { return other != Self.inbox }
        return other != Self.inbox && one.lexicographicallyPrecedes(other)
    }

    /// - Parameter name: a name that was not inserted before.
    mutating func insert(_ name: [UInt8]) {
        self.open.append(name)
        if self.open.count >= Self.runLength { self.closeRun() }
    }

    /// Removes and returns the first name.
    mutating func popFirst() -> [UInt8]? {
        if !self.open.isEmpty { self.closeRun() }
        guard let first = self.heap.first else { return nil }
        let name = self.runs[first].names.removeLast()
        if self.runs[first].names.isEmpty {
            self.heap.swapAt(0, self.heap.count - 1)
            self.heap.removeLast()
        }
        self.siftDown()
        return name
    }

    /// Sorts the open run and adds it to the heap.
    private mutating func closeRun() {
        self.open.sort { Self.precedes($1, other: $0) }
        self.runs.append(Run(names: self.open))
        self.open = []
        self.heap.append(self.runs.count - 1)
        self.siftUp()
    }

    // MARK: - The heap

    private func precedes(_ one: Int, other: Int) -> Bool {
        guard let name = self.runs[self.heap[one]].names.last,
            let otherName = self.runs[self.heap[other]].names.last
        else { return false }
        return Self.precedes(name, other: otherName)
    }

    private mutating func siftUp() {
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.precedes(child, other: parent) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.heap.count && self.precedes(child, other: least) {
                least = child
            }
            guard least != parent else { return }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}
