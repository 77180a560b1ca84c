import NIOCore

/// The order in which senders take turns.
///
/// Each operation takes constant time on average, however many senders there are: an event loop
/// calls it for each client that leaves.
struct TurnOrder<Sender: Hashable> {
    /// A turn of a sender. It is void once the sender was removed, or has a later turn.
    private struct Turn {
        var sender: Sender
        var number: UInt64
    }

    /// Void turns that may stay in the order besides as many as there are valid ones.
    private static var maximumVoid: Int { 16 }

    /// The turns, oldest first. The first one is valid.
    private var turns = CircularBuffer<Turn>()
    /// The number of each sender's valid turn.
    private var numbers: [Sender: UInt64] = [:]
    /// The number of the newest turn.
    private var last: UInt64 = 0

    /// Whose turn it is; nil if there is no sender.
    var first: Sender? { self.turns.first?.sender }

    /// Adds a sender, which has no turn, at the end.
    mutating func append(_ sender: Sender) {
        self.last += 1
        self.numbers[sender] = self.last
        self.turns.append(Turn(sender: sender, number: self.last))
    }

    /// Removes the sender whose turn it is.
    mutating func popFirst() -> Sender? {
        guard let turn = self.turns.popFirst() else { return nil }
        self.numbers[turn.sender] = nil
        self.dropVoidTurns()
        return turn.sender
    }

    /// Removes a sender, if it has a turn.
    mutating func remove(_ sender: Sender) {
        guard self.numbers.removeValue(forKey: sender) != nil else { return }
        if self.turns.count > 2 * self.numbers.count + Self.maximumVoid {
            self.turns = self.turns.filter { self.numbers[$0.sender] == $0.number }
        } else {
            self.dropVoidTurns()
        }
    }

    /// Drops void turns from the front.
    private mutating func dropVoidTurns() {
        while let turn = self.turns.first, self.numbers[turn.sender] != turn.number {
            self.turns.removeFirst()
        }
    }
}
