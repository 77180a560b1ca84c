/// A queue in which sites (IPv6 /48) take turns, and within a site its networks (/64).
///
/// A client with 65,536 networks has the share of one site, and another client of the same site
/// still has its turn.
struct NetworkQueue<Element> {
    private var queue = GroupedFairQueue<Network, Network, Element>()

    /// The number of queued elements.
    var count: Int { self.queue.count }

    /// Adds an element at the end of its network's queue.
    mutating func append(_ element: Element, from network: Network) {
        self.queue.append(element, from: network, in: network.site)
    }

    /// Removes the oldest element of the network whose turn it is, in the site whose turn it is.
    mutating func next() -> Element? { self.queue.next() }

    /// Removes the newest element of the longest site, if that site has more elements than the site
    /// of `network` would have with one more. Otherwise applies the same rule to the networks of
    /// that own site.
    /// - Returns: the removed element; nil if `network` has no right to displace another.
    mutating func makeRoom(for network: Network) -> Element? {
        self.queue.makeRoom(for: network, in: network.site)
    }

    /// Removes the first matching element of a network; nil if it is not queued any more.
    mutating func remove(from network: Network, where isMeant: (Element) -> Bool) -> Element? {
        self.queue.remove(from: network, in: network.site, where: isMeant)
    }
}
