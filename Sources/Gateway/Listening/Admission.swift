import Access
import NIOCore
import Session
import Synchronization

/// Limits the connections of each address, network and user, together with the other gateways of
/// the store. Safe to use from any event loop.
final class Admission: Sendable {
    /// What the lock protects. Entries exist only while a connection holds them.
    private struct Counts {
        /// All connections, by the client's address.
        var addresses: [String: Int] = [:]
        /// Connections before the login, by network and by site.
        var arrivals: [Network: Int] = [:]
        /// Connections after the login, by user.
        var users: [UserID: Int] = [:]
        /// Connections that are being told that they are refused.
        var refusals = 0
    }

    /// Connections that are told that they are refused, at once. Each costs a TLS handshake, like a
    /// login.
    private static let maximumRefusals = 64
    /// The part of the limit of open files that refused connections may use (1/16), so that they do
    /// not use up the reserve.
    private static let refusalShare = 16
    /// A site (IPv6 /48) may hold this many times the connections of one network.
    private static let networksPerSite = 4

    private let limits: GatewayConfiguration.Limits
    private let descriptors: DescriptorBudget
    private let counts = Mutex(Counts())
    /// The counts of the other gateways; nil if the store has one gateway.
    private let shared: SharedCounts?

    /// - Parameter shared: the counts of the other gateways; nil if the store has one gateway.
    init(
        limits: GatewayConfiguration.Limits,
        descriptors: DescriptorBudget,
        shared: SharedCounts? = nil
    ) {
        self.limits = limits
        self.descriptors = descriptors
        self.shared = shared
    }

    /// Why a connection is refused.
    enum Refusal: Error {
        /// Its address, network or site holds the maximum number of connections.
        case tooMany
        /// The descriptors that are open to its network are used up.
        case noDescriptors
    }

    /// Counts a connection of an address until ``release(_:)``, and as one before its login until
    /// the result is released.
    /// - Parameter isKnown: whether a login from its network succeeded recently.
    /// - Throws: ``Refusal``; then nothing is counted.
    func admit(_ address: SocketAddress?, isKnown: Bool) throws(Refusal) -> Arrival {
        guard self.descriptors.hasRoom(isKnown: isKnown) else { throw .noDescriptors }
        let network = Network(address)
        let isAdmitted = self.counts.withLock { counts in
            guard let address = address?.ipAddress else { return true }
            let count = counts.addresses[address, default: 0]
            guard
                count + self.others(address, of: network) < self.limits.connectionsPerAddress,
                self.arrivals(network, in: counts) < self.limits.connectionsPerAddress,
                self.arrivals(network.site, in: counts) < self.maximum(of: network)
            else { return false }
            counts.addresses[address] = count + 1
            self.share(address, of: network, count: count + 1)
            for counted in Set([network, network.site]) {
                let arrived = counts.arrivals[counted, default: 0] + 1
                counts.arrivals[counted] = arrived
                self.share(.network, name: counted.description, count: arrived)
            }
            return true
        }
        guard isAdmitted else { throw .tooMany }
        return Arrival(address == nil ? nil : self, network: network)
    }

    /// The connections of a network or a site before the login, on all gateways.
    private func arrivals(_ network: Network, in counts: Counts) -> Int {
        counts.arrivals[network, default: 0] + self.others(.network, name: network.description)
    }

    /// The connections of an address on the other gateways.
    private func others(_ address: String, of network: Network) -> Int {
        Self.isShared(network) ? self.others(.address, name: address) : 0
    }

    /// Tells the other gateways of an address's connections.
    private func share(_ address: String, of network: Network, count: Int?) {
        if Self.isShared(network) { self.share(.address, name: address, count: count) }
    }

    /// Whether gateways share the counts of a network's addresses. A client chooses among 2^64 IPv6
    /// addresses of its network, and each would be a row of the store: before the login, the
    /// network and the site are counted instead, and after it the user.
    private static func isShared(_ network: Network) -> Bool { network.site == network }

    /// What the other gateways counted.
    private func others(_ kind: NodeCount.Kind, name: @autoclosure () -> String) -> Int {
        self.shared?.others(kind, name: name()) ?? 0
    }

    /// Tells the other gateways of a count.
    private func share(_ kind: NodeCount.Kind, name: @autoclosure () -> String, count: Int?) {
        self.shared?.set(count ?? 0, of: NodeCount.Row(kind, name: name()))
    }

    /// The maximum number of connections before the login that a network's site may hold.
    private func maximum(of network: Network) -> Int {
        let share = network.site == network ? 1 : Self.networksPerSite
        let product = self.limits.connectionsPerAddress.multipliedReportingOverflow(by: share)
        return product.overflow ? .max : product.partialValue
    }

    /// Counts a connection before its login, until it is released. Connections count by network as
    /// well, so a client gains nothing by changing its address within the network.
    final class Arrival: Sendable {
        /// Nil for a connection without an address, which is not counted.
        private let admission: Admission?
        private let network: Network

        fileprivate init(_ admission: Admission?, network: Network) {
            self.admission = admission
            self.network = network
        }

        deinit {
            guard let admission = self.admission else { return }
            admission.counts.withLock { counts in
                for counted in Set([self.network, self.network.site]) {
                    let count = Admission.decrement(&counts.arrivals, key: counted)
                    admission.share(.network, name: counted.description, count: count)
                }
            }
        }
    }

    /// Counts a connection of a user.
    /// - Returns: nil if the user holds the maximum number of connections.
    func admit(_ user: UserID) -> ConnectionSlot? {
        let isAdmitted = self.counts.withLock { counts in
            let count = counts.users[user, default: 0]
            let others = self.others(.user, name: "\(user.rawValue)")
            guard count + others < self.limits.connectionsPerUser else { return false }
            counts.users[user] = count + 1
            self.share(.user, name: "\(user.rawValue)", count: count + 1)
            return true
        }
        return isAdmitted ? ConnectionSlot(self, user: user) : nil
    }

    /// Counts a connection of a user until it is released, however the connection ends.
    final class ConnectionSlot: Sendable {
        private let admission: Admission
        private let user: UserID

        fileprivate init(_ admission: Admission, user: UserID) {
            self.admission = admission
            self.user = user
        }

        deinit {
            self.admission.counts.withLock { counts in
                let count = Admission.decrement(&counts.users, key: self.user)
                self.admission.share(.user, name: "\(self.user.rawValue)", count: count)
            }
        }
    }

    /// Counts a refused connection that is told so, until ``endRefusal()``.
    /// - Returns: whether it may be; if not, the caller closes the connection without a response.
    func beginRefusal() -> Bool {
        self.counts.withLock { counts in
            let most = min(Self.maximumRefusals, self.descriptors.limit / Self.refusalShare)
            guard counts.refusals < most else { return false }
            counts.refusals += 1
            return true
        }
    }

    /// A connection that was told of its refusal has closed.
    func endRefusal() {
        self.counts.withLock { $0.refusals -= 1 }
    }

    /// The connection of an address has closed.
    func release(_ address: SocketAddress?) {
        let network = Network(address)
        guard let address = address?.ipAddress else { return }
        self.counts.withLock { counts in
            guard counts.addresses[address] != nil else { return }
            let count = Self.decrement(&counts.addresses, key: address)
            self.share(address, of: network, count: count)
        }
    }

    /// Whether no client is connected.
    var isEmpty: Bool { self.counts.withLock(\.addresses.isEmpty) }

    /// Removes the entry at zero, so that the table holds open connections only.
    /// - Returns: the new count; nil at zero.
    private static func decrement<Key: Hashable>(
        _ counts: inout [Key: Int],
        key: Key
    ) -> Int? {
        guard let count = counts[key] else { return nil }
        counts[key] = count > 1 ? count - 1 : nil
        return counts[key]
    }
}
