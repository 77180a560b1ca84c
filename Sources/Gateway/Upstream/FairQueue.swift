/// A queue in which senders take turns, however much one of them has queued.
struct FairQueue<Sender: Hashable, Element> {
    /// The queued elements of each sender, oldest first; no sender has an empty list.
    private var lines: [Sender: [Element]] = [:]
    /// The senders with queued elements, in the order of their turns.
    private var turns: [Sender] = []
    /// The number of queued elements.
    private(set) var count = 0

    /// Adds an element at the end of its sender's list.
    mutating func append(_ element: Element, from sender: Sender) {
        if self.lines[sender] == nil { self.turns.append(sender) }
        self.lines[sender, default: []].append(element)
        self.count += 1
    }

    /// The element that ``next()`` would return.
    var first: Element? {
        self.turns.first.flatMap { self.lines[$0]?.first }
    }

    /// Removes the oldest element of the sender whose turn it is.
    mutating func next() -> Element? {
        guard !self.turns.isEmpty else { return nil }
        let sender = self.turns.removeFirst()
        guard var line = self.lines.removeValue(forKey: sender), !line.isEmpty else { return nil }
        let element = line.removeFirst()
        if !line.isEmpty {
            self.lines[sender] = line
            self.turns.append(sender)
        }
        self.count -= 1
        return element
    }

    /// Removes the newest element of the sender with the most, if that is more than `sender` would
    /// have with one more element.
    /// - Returns: the removed element; nil if `sender` has no right to displace another.
    mutating func makeRoom(for sender: Sender) -> Element? {
        guard let longest = self.lines.max(by: { $0.value.count < $1.value.count }),
            longest.value.count > (self.lines[sender]?.count ?? 0) + 1
        else { return nil }
        return self.removeNewest(of: longest.key)
    }

    /// Removes the newest element of the sender with the most.
    mutating func removeNewestOfLongest() -> Element? {
        let longest = self.lines.max { $0.value.count < $1.value.count }
        return longest.flatMap { self.removeNewest(of: $0.key) }
    }

    /// Removes the newest element of a sender.
    private mutating func removeNewest(of sender: Sender) -> Element? {
        guard let index = self.lines[sender]?.indices.last else { return nil }
        return self.remove(at: index, from: sender)
    }

    /// Removes the first matching element of a sender; nil if it is not queued any more.
    mutating func remove(from sender: Sender, where isMeant: (Element) -> Bool) -> Element? {
        guard let index = self.lines[sender]?.firstIndex(where: isMeant) else { return nil }
        return self.remove(at: index, from: sender)
    }

    /// Removes an element, and the sender's turn with its last one.
    private mutating func remove(at index: Int, from sender: Sender) -> Element? {
        let element = self.lines[sender]?.remove(at: index)
        if self.lines[sender]?.isEmpty ?? true {
            self.lines[sender] = nil
            self.turns.removeAll { $0 == sender }
        }
        self.count -= 1
        return element
    }
}
