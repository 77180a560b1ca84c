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
    /// Entries at most, of all users. Beyond it a tenth goes, the ones used longest ago.
    private static let maximumEntries = 10_000
    /// Networks of one user at most; a person has a handful in a week. Beyond it the user's own oldest one goes, so a
    /// hostile user with many networks takes nobody else's.
    private static let maximumNetworksPerUser = 32

    /// The users who logged in from a network.
    private struct Use {
        var users = 0
        /// The latest end of their entries; one of them may have gone since.
        var until: NIODeadline
    }

    private var logins: [Key: NIODeadline] = [:]
    /// Follows ``logins``, and so has its limits.
    private var networks: [Network: Use] = [:]
    /// Follows ``logins`` too.
    private var networksOfUser: [UserID: Set<Network>] = [:]

    /// A user has logged in.
    mutating func succeeded(_ user: UserID, from network: Network, at now: NIODeadline) {
        let key = Key(user: user, network: network)
        if self.logins[key] == nil { self.makeRoom(user) }
        self.insert(key, until: now + Self.lifetime)
    }

    /// Whether this login succeeded recently from this network.
    func contains(_ user: UserID, from network: Network, at now: NIODeadline) -> Bool {
        self.logins[Key(user: user, network: network)].map { $0 > now } ?? false
    }

    /// Whether any login succeeded recently from this network.
    func contains(_ network: Network, at now: NIODeadline) -> Bool {
        self.networks[network].map { $0.until > now } ?? false
    }

    private mutating func insert(_ key: Key, until: NIODeadline) {
        let isNew = self.logins.updateValue(until, forKey: key) == nil
        var use = self.networks[key.network] ?? Use(until: until)
        if isNew { use.users += 1 }
        use.until = max(use.until, until)
        self.networks[key.network] = use
        if isNew { self.networksOfUser[key.user, default: []].insert(key.network) }
    }

    private mutating func remove(_ key: Key) {
        guard self.logins.removeValue(forKey: key) != nil else { return }
        self.networks[key.network]?.users -= 1
        if self.networks[key.network]?.users == 0 { self.networks[key.network] = nil }
        self.networksOfUser[key.user]?.remove(key.network)
        if self.networksOfUser[key.user]?.isEmpty ?? false { self.networksOfUser[key.user] = nil }
    }

    private mutating func makeRoom(_ user: UserID) {
        let own = self.networksOfUser[user] ?? []
        if own.count >= Self.maximumNetworksPerUser {
            let keys = own.map { Key(user: user, network: $0) }
            let oldest = keys.min {
                (self.logins[$0] ?? .distantPast) < (self.logins[$1] ?? .distantPast)
            }
            if let oldest { self.remove(oldest) }
        }
        guard self.logins.count >= Self.maximumEntries else { return }
        for key in self.logins.leastTenth(<) { self.remove(key) }
    }
}
