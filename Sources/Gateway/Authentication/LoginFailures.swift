import NIOCore

/// Counts failed logins by login name and by network, and computes the delay of the next refusal.
/// Time is a parameter.
struct LoginFailures {
    /// A key that failures are counted under.
    enum Slot: Hashable, Sendable {
        /// The login name in lower case, as ``Address`` folds it.
        case login([UInt8])
        /// An IPv4 address, an IPv6 /64 or an IPv6 /48.
        case network(Network)
    }

    /// The delay of the first refusal. Each further failure doubles it.
    private static let shortestDelay = TimeAmount.milliseconds(250)
    /// The longest delay. A client that waits longer gives up and shows its user no reason.
    static let longestDelay = TimeAmount.seconds(8)
    /// A bound for the exponent, so that the shift cannot overflow.
    private static let maximumDoublings = 5
    /// A slot is forgotten this long after its last failure.
    private static let lifetime = TimeAmount.minutes(10)
    /// Slots. A hostile client chooses login names, and with IPv6 networks as well. Beyond the
    /// limit the tenth with the fewest failures is dropped.
    static let maximumSlots = 10_000
    /// Octets of a login name that are kept; no login in the store is longer.
    private static let maximumLoginOctets = 256

    /// The failures of a slot, until they expire.
    private struct Failures {
        var count: Int
        var until: NIODeadline
    }

    /// At most ``maximumSlots``.
    private var failures: [Slot: Failures] = [:]

    /// The slots that a failure counts in: the login name, the network (an address or /64), and the
    /// /48.
    /// - Parameter login: the octets that the client sent.
    static func slots(login: [UInt8], network: Network) -> [Slot] {
        let slots = [Slot.login(self.folded(login)), .network(network)]
        return network.site == network ? slots : slots + [.network(network.site)]
    }

    /// The beginning of a login name in lower case, as ``Address`` folds it. A login that is not an
    /// address is folded in the same way.
    static func folded(_ login: [UInt8]) -> [UInt8] {
        login.prefix(Self.maximumLoginOctets).map { octet in
            octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 0x20 : octet
        }
    }

    /// Counts a failure in each slot.
    /// - Returns: the delay of the refusal. It follows from the slot with the most failures, and is
    ///   the same for every reason of the refusal.
    mutating func count(_ slots: [Slot], at now: NIODeadline) -> TimeAmount {
        self.makeRoom(at: now)
        var most = 1
        for slot in slots {
            let known = self.failures[slot].flatMap { $0.until > now ? $0 : nil }
            let count = (known?.count ?? 0) + 1
            self.failures[slot] = Failures(count: count, until: now + Self.lifetime)
            most = max(most, count)
        }
        let doublings = min(most - 1, Self.maximumDoublings)
        let delay = Self.shortestDelay.nanoseconds << Int64(doublings)
        return min(.nanoseconds(delay), Self.longestDelay)
    }

    /// The failures of a slot that have not expired.
    func count(of slot: Slot, at now: NIODeadline) -> Int {
        self.failures[slot].map { $0.until > now ? $0.count : 0 } ?? 0
    }

    /// Drops expired slots, then the tenth with the fewest failures, if the limit is reached.
    private mutating func makeRoom(at now: NIODeadline) {
        guard self.failures.count >= Self.maximumSlots else { return }
        self.failures = self.failures.filter { $0.value.until > now }
        guard self.failures.count >= Self.maximumSlots else { return }
        let least = self.failures.leastTenth { ($0.count, $0.until) < ($1.count, $1.until) }
        for slot in least { self.failures[slot] = nil }
    }
}

/// Eviction for the caches of this directory.
extension Dictionary {
    /// Entries that ``leastTenth(_:)`` samples to estimate where the lowest tenth ends.
    private static var sampleCount: Int { 500 }

    /// The keys of about a tenth of the entries, at least one, whose values are the lowest.
    ///
    /// Takes linear time with few comparisons, because the caller holds a lock that each new
    /// connection needs. A sample estimates where the tenth ends.
    /// - Parameter countsLess: whether the first value is lower than the second.
    func leastTenth(_ countsLess: (Value, Value) -> Bool) -> [Key] {
        let step = Swift.max(self.count / Self.sampleCount, 1)
        let sample = self.values.enumerated().filter { $0.offset % step == 0 }.map(\.element)
            .sorted(by: countsLess)
        guard !sample.isEmpty else { return [] }
        let end = sample[sample.count / 10]
        let below = self.filter { countsLess($0.value, end) }.map(\.key)
        // Many entries may have equal values; any of them may be dropped.
        let wanted = Swift.max(self.count / 10, 1)
        guard below.count < wanted else { return below }
        let equal = self.filter { !countsLess($0.value, end) && !countsLess(end, $0.value) }
        return below + equal.prefix(wanted - below.count).map(\.key)
    }
}
