/// Finds the sender with the most queued elements in constant time.
struct LengthIndex<Sender: Hashable> {
    /// The senders by the number of their elements; no set is empty.
    private var senders: [Int: Set<Sender>] = [:]
    /// The most elements that a sender has; 0 without a sender.
    private(set) var longest = 0

    /// A sender with the most elements; nil without a sender.
    var first: Sender? { self.senders[self.longest]?.first }

    /// A sender has one element more, or one less.
    mutating func changed(_ sender: Sender, from old: Int, to new: Int) {
        if old > 0 {
            self.senders[old]?.remove(sender)
            if self.senders[old]?.isEmpty ?? false { self.senders[old] = nil }
        }
        if new > 0 { self.senders[new, default: []].insert(sender) }
        if new > self.longest || self.senders[self.longest] == nil { self.longest = new }
    }
}
