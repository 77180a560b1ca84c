/// A queue in which sites (IPv6 /48) take turns, and within a site its networks (/64).
///
/// A client with 65,536 networks has the share of one site, and another client of the same site
/// still has its turn.
struct NetworkQueue<Element> {
    /// The queue of each site; no site has an empty queue.
    private var sites: [Network: FairQueue<Network, Element>] = [:]
    /// The sites with queued elements, in the order of their turns.
    private var turns: [Network] = []
    /// The number of queued elements.
    private(set) var count = 0

    /// Adds an element at the end of its network's queue.
    mutating func append(_ element: Element, from network: Network) {
        if self.sites[network.site] == nil { self.turns.append(network.site) }
        self.sites[network.site, default: FairQueue()].append(element, from: network)
        self.count += 1
    }

    /// Removes the oldest element of the network whose turn it is, in the site whose turn it is.
    mutating func next() -> Element? {
        guard !self.turns.isEmpty else { return nil }
        let site = self.turns.removeFirst()
        guard let element = self.sites[site]?.next() else { return nil }
        self.count -= 1
        if self.sites[site]?.count == 0 {
            self.sites[site] = nil
        } else {
            self.turns.append(site)
        }
        return element
    }

    /// Removes the newest element of the longest site, if that site has more elements than the site
    /// of `network` would have with one more. Otherwise applies the same rule to the networks of
    /// that own site.
    /// - Returns: the removed element; nil if `network` has no right to displace another.
    mutating func makeRoom(for network: Network) -> Element? {
        guard let longest = self.sites.max(by: { $0.value.count < $1.value.count }) else {
            return nil
        }
        let own = self.sites[network.site]?.count ?? 0
        if longest.value.count > own + 1 {
            let element = self.sites[longest.key]?.removeNewestOfLongest()
            self.removed(element, from: longest.key)
            return element
        }
        let element = self.sites[network.site]?.makeRoom(for: network)
        self.removed(element, from: network.site)
        return element
    }

    /// Removes the first matching element of a network; nil if it is not queued any more.
    mutating func remove(from network: Network, where isMeant: (Element) -> Bool) -> Element? {
        let element = self.sites[network.site]?.remove(from: network, where: isMeant)
        self.removed(element, from: network.site)
        return element
    }

    /// Keeps ``count`` and the turns up to date after a removal.
    private mutating func removed(_ element: Element?, from site: Network) {
        guard element != nil else { return }
        self.count -= 1
        guard self.sites[site]?.count == 0 else { return }
        self.sites[site] = nil
        self.turns.removeAll { $0 == site }
    }
}
