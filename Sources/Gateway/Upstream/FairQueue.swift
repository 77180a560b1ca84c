import NIOCore

/// A queue in which senders take turns, however much one of them has queued.
///
/// Takes constant time on average for each element, except ``remove(from:where:)``, which searches
/// the elements of one sender.
struct FairQueue<Sender: Hashable, Element> {
    /// The queued elements of each sender, oldest first; no sender has an empty list.
    private var lines: [Sender: CircularBuffer<Element>] = [:]
    /// The senders with queued elements.
    private var turns = TurnOrder<Sender>()
    /// The senders by the number of their elements.
    private var lengths = LengthIndex<Sender>()
    /// The number of queued elements.
    private(set) var count = 0

    /// Adds an element at the end of its sender's list.
    mutating func append(_ element: Element, from sender: Sender) {
        let length = self.count(of: sender)
        if length == 0 { self.turns.append(sender) }
        // Most senders have one element.
        self.lines[sender, default: CircularBuffer(initialCapacity: 1)].append(element)
        self.lengths.changed(sender, from: length, to: length + 1)
        self.count += 1
    }

    /// The number of queued elements of a sender.
    func count(of sender: Sender) -> Int { self.lines[sender]?.count ?? 0 }

    /// The element that ``next()`` would return.
    var first: Element? {
        self.turns.first.flatMap { self.lines[$0]?.first }
    }

    /// Removes the oldest element of the sender whose turn it is.
    mutating func next() -> Element? {
        guard let sender = self.turns.popFirst(), let element = self.lines[sender]?.popFirst()
        else { return nil }
        self.removed(from: sender)
        if self.lines[sender] != nil { self.turns.append(sender) }
        return element
    }

    /// Removes the newest element of the sender with the most, if that is more than `sender` would
    /// have with one more element.
    /// - Returns: the removed element; nil if `sender` has no right to displace another.
    mutating func makeRoom(for sender: Sender) -> Element? {
        guard self.lengths.longest > self.count(of: sender) + 1 else { return nil }
        return self.removeNewestOfLongest()
    }

    /// Removes the newest element of the sender with the most.
    mutating func removeNewestOfLongest() -> Element? {
        guard let sender = self.lengths.first, let element = self.lines[sender]?.popLast() else {
            return nil
        }
        self.removed(from: sender)
        return element
    }

    /// Removes the first matching element of a sender; nil if it is not queued any more.
    mutating func remove(from sender: Sender, where isMeant: (Element) -> Bool) -> Element? {
        guard let index = self.lines[sender]?.firstIndex(where: isMeant),
            let element = self.lines[sender]?.remove(at: index)
        else { return nil }
        self.removed(from: sender)
        return element
    }

    /// Keeps counts and turns up to date after one element of a sender was removed.
    private mutating func removed(from sender: Sender) {
        let length = self.count(of: sender)
        self.lengths.changed(sender, from: length + 1, to: length)
        self.count -= 1
        guard length == 0 else { return }
        self.lines[sender] = nil
        self.turns.remove(sender)
    }
}
