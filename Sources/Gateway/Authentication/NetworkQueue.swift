/// What waits in line by the network that sent it. First each site (IPv6 /48) has its turn, and within it each /64:
/// somebody with 65,536 networks waits as one, and a neighbour within the same site is served beside them.
struct NetworkQueue<Element> {
    private var sites: [Network: FairQueue<Network, Element>] = [:]
    /// Sites with something in line, the next one first.
    private var turns: [Network] = []
    private(set) var count = 0

    mutating func append(_ element: Element, from network: Network) {
        if self.sites[network.site] == nil { self.turns.append(network.site) }
        self.sites[network.site, default: FairQueue()].append(element, from: network)
        self.count += 1
    }

    /// The oldest of the network whose turn it is, in the site whose turn it is.
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

    /// Takes away the newest of the site with most in line, if that is more than the site of this network would
    /// have with one more; otherwise the same among the networks of its own site.
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

    /// Takes away the first element of a network that is meant; nil where it is not in line any more.
    mutating func remove(from network: Network, where isMeant: (Element) -> Bool) -> Element? {
        let element = self.sites[network.site]?.remove(from: network, where: isMeant)
        self.removed(element, from: network.site)
        return element
    }

    private mutating func removed(_ element: Element?, from site: Network) {
        guard element != nil else { return }
        self.count -= 1
        guard self.sites[site]?.count == 0 else { return }
        self.sites[site] = nil
        self.turns.removeAll { $0 == site }
    }
}
