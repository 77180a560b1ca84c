import Access
import NIOCore

/// The logins that succeeded recently, by user and network.
///
/// During a flood, password checks and connections of these logins have reserved capacity. An entry
/// proves nothing: the password is checked as always. Time is a parameter.
struct KnownLogins {
    private struct Key: Hashable {
        var user: UserID
        var network: Network
    }

    /// How long an entry lasts: a phone that stays at home over a holiday keeps its entry. Each
    /// login extends it by the whole time.
    static let lifetime = TimeAmount.hours(7 * 24)
    /// Entries of all users. Beyond the limit the tenth that expires first is dropped.
    private static let maximumEntries = 10_000
    /// Networks of one user; a person uses a handful in a week. Beyond the limit the user's own
    /// oldest entry is dropped, so a hostile user with many networks displaces nobody else's.
    private static let maximumNetworksPerUser = 32

    /// The users who logged in from a network.
    private struct Use {
        var users = 0
        /// The latest expiry of the entries of this network. The entry that set it may have been
        /// dropped since.
        var until: NIODeadline
    }

    /// When each entry expires.
    private var logins: [Key: NIODeadline] = [:]
    /// Index of ``logins`` by network; it is bounded because `logins` is.
    private var networks: [Network: Use] = [:]
    /// Index of ``logins`` by user.
    private var networksOfUser: [UserID: Set<Network>] = [:]

    /// Records a successful login.
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

    /// Adds or extends an entry, and keeps the indexes consistent.
    private mutating func insert(_ key: Key, until: NIODeadline) {
        let isNew = self.logins.updateValue(until, forKey: key) == nil
        var use = self.networks[key.network] ?? Use(until: until)
        if isNew { use.users += 1 }
        use.until = max(use.until, until)
        self.networks[key.network] = use
        if isNew { self.networksOfUser[key.user, default: []].insert(key.network) }
    }

    /// Removes an entry, and keeps the indexes consistent.
    private mutating func remove(_ key: Key) {
        guard self.logins.removeValue(forKey: key) != nil else { return }
        self.networks[key.network]?.users -= 1
        if self.networks[key.network]?.users == 0 { self.networks[key.network] = nil }
        self.networksOfUser[key.user]?.remove(key.network)
        if self.networksOfUser[key.user]?.isEmpty ?? false { self.networksOfUser[key.user] = nil }
    }

    /// Drops entries where a limit is reached, before an entry of this user is added.
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
