/// What waits in line by whoever sent it: each sender's turn comes round, however much one of them has
/// sent.
struct FairQueue<Sender: Hashable, Element> {
    private var lines: [Sender: [Element]] = [:]
    /// Senders with something in line, the next one first.
    private var turns: [Sender] = []
    private(set) var count = 0

    mutating func append(_ element: Element, from sender: Sender) {
        if self.lines[sender] == nil { self.turns.append(sender) }
        self.lines[sender, default: []].append(element)
        self.count += 1
    }

    /// What ``next()`` takes.
    var first: Element? {
        self.turns.first.flatMap { self.lines[$0]?.first }
    }

    /// The oldest of the sender whose turn it is.
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

    /// Takes away the newest of the sender with most in line, if that is more than another one would
    /// have with one more.
    mutating func makeRoom(for sender: Sender) -> Element? {
        guard let longest = self.lines.max(by: { $0.value.count < $1.value.count }),
            longest.value.count > (self.lines[sender]?.count ?? 0) + 1
        else { return nil }
        return self.removeNewest(of: longest.key)
    }

    /// Takes away the newest of the sender with most in line.
    mutating func removeNewestOfLongest() -> Element? {
        let longest = self.lines.max { $0.value.count < $1.value.count }
        return longest.flatMap { self.removeNewest(of: $0.key) }
    }

    private mutating func removeNewest(of sender: Sender) -> Element? {
        guard let index = self.lines[sender]?.indices.last else { return nil }
        return self.remove(at: index, from: sender)
    }

    /// Takes away the first element of a sender that is meant; nil where it is not in line any more.
    mutating func remove(from sender: Sender, where isMeant: (Element) -> Bool) -> Element? {
        guard let index = self.lines[sender]?.firstIndex(where: isMeant) else { return nil }
        return self.remove(at: index, from: sender)
    }

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
