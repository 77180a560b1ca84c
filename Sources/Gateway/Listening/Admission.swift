import Access
import NIOCore
import Synchronization

/// How many connections one address, one network and one user hold.
final class Admission: Sendable {
    private struct Counts {
        var addresses: [String: Int] = [:]
        /// Connections that are not logged in, by network and by site.
        var arrivals: [Network: Int] = [:]
        var users: [UserID: Int] = [:]
        var refusals = 0
    }

    /// Connections that are being told to go; a handshake for each costs as much as a login's.
    private static let maximumRefusals = 64
    /// The part of the limit of open files that they may take, so that they leave the reserve alone.
    private static let refusalShare = 16
    /// A site (IPv6 /48) with many networks holds so many times what one network may.
    private static let networksPerSite = 4

    private let limits: GatewayConfiguration.Limits
    private let descriptors: DescriptorBudget
    private let counts = Mutex(Counts())

    init(limits: GatewayConfiguration.Limits, descriptors: DescriptorBudget) {
        self.limits = limits
        self.descriptors = descriptors
    }

    /// Why a connection is not served.
    enum Refusal: Error {
        /// Its address or network holds as many as it may.
        case tooMany
        /// The process has no descriptors left for strangers.
        case noDescriptors
    }

    /// Counts a connection by its address until ``release(_:)``, and as one that is not logged in.
    /// - Parameter isKnown: whether a login from its network succeeded recently.
    func admit(_ address: SocketAddress?, isKnown: Bool) throws(Refusal) -> Arrival {
        guard self.descriptors.hasRoom(isKnown: isKnown) else { throw .noDescriptors }
        let network = Network(address)
        let isAdmitted = self.counts.withLock { counts in
            guard let address = address?.ipAddress else { return true }
            let count = counts.addresses[address, default: 0]
            guard count < self.limits.connectionsPerAddress,
                counts.arrivals[network, default: 0] < self.limits.connectionsPerAddress,
                counts.arrivals[network.site, default: 0] < self.maximum(of: network)
            else { return false }
            counts.addresses[address] = count + 1
            for counted in Set([network, network.site]) {
                counts.arrivals[counted, default: 0] += 1
            }
            return true
        }
        guard isAdmitted else { throw .tooMany }
        return Arrival(address == nil ? nil : self, network: network)
    }

    private func maximum(of network: Network) -> Int {
        let share = network.site == network ? 1 : Self.networksPerSite
        let product = self.limits.connectionsPerAddress.multipliedReportingOverflow(by: share)
        return product.overflow ? .max : product.partialValue
    }

    /// A connection that is not logged in: counted for its network as long as it is kept, so that changing the
    /// address within it does not help.
    final class Arrival: Sendable {
        private let admission: Admission?
        private let network: Network

        fileprivate init(_ admission: Admission?, network: Network) {
            self.admission = admission
            self.network = network
        }

        deinit {
            self.admission?.counts.withLock { counts in
                for counted in Set([self.network, self.network.site]) {
                    Admission.decrement(&counts.arrivals, key: counted)
                }
            }
        }
    }

    /// - Returns: the place of one connection of a user; nil where there is none left.
    func admit(_ user: UserID) -> ConnectionSlot? {
        let isAdmitted = self.counts.withLock { counts in
            let count = counts.users[user, default: 0]
            guard count < self.limits.connectionsPerUser else { return false }
            counts.users[user] = count + 1
            return true
        }
        return isAdmitted ? ConnectionSlot(self, user: user) : nil
    }

    /// Taken as long as it is kept, however a connection or its login ends.
    final class ConnectionSlot: Sendable {
        private let admission: Admission
        private let user: UserID

        fileprivate init(_ admission: Admission, user: UserID) {
            self.admission = admission
            self.user = user
        }

        deinit {
            self.admission.counts.withLock { Admission.decrement(&$0.users, key: self.user) }
        }
    }

    /// - Returns: whether one more may be told to go, instead of being closed without a word.
    func beginRefusal() -> Bool {
        self.counts.withLock { counts in
            let most = min(Self.maximumRefusals, self.descriptors.limit / Self.refusalShare)
            guard counts.refusals < most else { return false }
            counts.refusals += 1
            return true
        }
    }

    func endRefusal() {
        self.counts.withLock { $0.refusals -= 1 }
    }

    func release(_ address: SocketAddress?) {
        guard let address = address?.ipAddress else { return }
        self.counts.withLock { Self.decrement(&$0.addresses, key: address) }
    }

    /// Whether no client is connected.
    var isEmpty: Bool { self.counts.withLock(\.addresses.isEmpty) }

    private static func decrement<Key: Hashable>(_ counts: inout [Key: Int], key: Key) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
