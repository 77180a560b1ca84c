import Access
import NIOCore

/// Which logins succeeded recently, and from which networks: their next checks, and their connections, have room of
/// their own while somebody floods the gateway. It proves nothing: the password is checked as always. Time is a parameter.
struct KnownLogins {
    private struct Key: Hashable {
        var user: UserID
        var network: Network
    }

    /// A phone at home over a holiday; each login begins it anew.
    static let lifetime = TimeAmount.hours(7 * 24)
    /// Entries at most: some per user. A hostile user has many networks, and nobody else's logins. Beyond it a tenth
    /// goes, the ones used longest ago.
    private static let maximumEntries = 10_000
    /// Networks of one user at most; a person has a handful in a week.
    private static let maximumNetworksPerUser = 32

    private var logins: [Key: NIODeadline] = [:]
    private var networks: [Network: NIODeadline] = [:]
    private var counts: [UserID: Int] = [:]

    /// A user has logged in.
    mutating func succeeded(_ user: UserID, from network: Network, at now: NIODeadline) {
        let key = Key(user: user, network: network)
        if self.logins[key] == nil {
            self.makeRoom(user)
            self.counts[user, default: 0] += 1
        }
        self.logins[key] = now + Self.lifetime
        if self.networks[network] == nil, self.networks.count >= Self.maximumEntries {
            self.networks.thin(<)
        }
        self.networks[network] = now + Self.lifetime
    }

    /// Whether this login succeeded recently from this network.
    func contains(_ user: UserID, from network: Network, at now: NIODeadline) -> Bool {
        self.logins[Key(user: user, network: network)].map { $0 > now } ?? false
    }

    /// Whether any login succeeded recently from this network.
    func contains(_ network: Network, at now: NIODeadline) -> Bool {
        self.networks[network].map { $0 > now } ?? false
    }

    private mutating func makeRoom(_ user: UserID) {
        if self.counts[user, default: 0] >= Self.maximumNetworksPerUser {
            let oldest = self.logins.filter { $0.key.user == user }.min { $0.value < $1.value }
            if let oldest { self.logins[oldest.key] = nil }
            self.counts[user, default: 1] -= 1
        }
        guard self.logins.count >= Self.maximumEntries else { return }
        self.logins.thin(<)
        self.counts = self.logins.keys.reduce(into: [:]) { $0[$1.user, default: 0] += 1 }
    }
}
