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
        var line = longest.value
        let element = line.removeLast()
        self.lines[longest.key] = line
        self.count -= 1
        return element
    }
}
