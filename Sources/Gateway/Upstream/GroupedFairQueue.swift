/// A queue in which groups take turns, and within a group its senders.
///
/// A group has the share of one sender, however many senders it has, and another sender of the same
/// group still has its turn.
struct GroupedFairQueue<Group: Hashable, Sender: Hashable, Element> {
    /// The queue of each group; no group has an empty queue.
    private var groups: [Group: FairQueue<Sender, Element>] = [:]
    /// The groups with queued elements.
    private var turns = TurnOrder<Group>()
    /// The groups by the number of their elements.
    private var lengths = LengthIndex<Group>()
    /// The number of queued elements.
    private(set) var count = 0

    /// Adds an element at the end of its sender's list.
    mutating func append(_ element: Element, from sender: Sender, in group: Group) {
        let length = self.count(of: group)
        if length == 0 { self.turns.append(group) }
        self.groups[group, default: FairQueue()].append(element, from: sender)
        self.lengths.changed(group, from: length, to: length + 1)
        self.count += 1
    }

    /// The number of queued elements of a group.
    func count(of group: Group) -> Int { self.groups[group]?.count ?? 0 }

    /// Removes the oldest element of the sender whose turn it is, in the group whose turn it is.
    mutating func next() -> Element? {
        guard let group = self.turns.popFirst(), let element = self.groups[group]?.next() else {
            return nil
        }
        self.removed(from: group)
        if self.groups[group] != nil { self.turns.append(group) }
        return element
    }

    /// Removes the newest element of the longest group, if that group has more elements than the
    /// group of `sender` would have with one more. Otherwise applies the same rule to the senders of
    /// that own group.
    /// - Returns: the removed element; nil if `sender` has no right to displace another.
    mutating func makeRoom(for sender: Sender, in group: Group) -> Element? {
        if self.lengths.longest > self.count(of: group) + 1, let longest = self.lengths.first {
            let element = self.groups[longest]?.removeNewestOfLongest()
            if element != nil { self.removed(from: longest) }
            return element
        }
        let element = self.groups[group]?.makeRoom(for: sender)
        if element != nil { self.removed(from: group) }
        return element
    }

    /// Removes the first matching element of a sender; nil if it is not queued any more.
    mutating func remove(
        from sender: Sender,
        in group: Group,
        where isMeant: (Element) -> Bool
    ) -> Element? {
        let element = self.groups[group]?.remove(from: sender, where: isMeant)
        if element != nil { self.removed(from: group) }
        return element
    }

    /// Keeps counts and turns up to date after one element of a group was removed.
    private mutating func removed(from group: Group) {
        let length = self.count(of: group)
        self.lengths.changed(group, from: length + 1, to: length)
        self.count -= 1
        guard length == 0 else { return }
        self.groups[group] = nil
        self.turns.remove(group)
    }
}
