import NIOCore

/// Failed logins by the login, folded, and by the network that they came from; and the delay of the next refusal.
/// Time is a parameter.
struct LoginFailures {
    /// What a failure is counted under.
    enum Slot: Hashable, Sendable {
        /// In lower case, as ``Address`` has it.
        case login([UInt8])
        case network(Network)
    }

    /// A quarter of a second, doubled with each further failure.
    private static let shortestDelay = TimeAmount.milliseconds(250)
    /// A client that waits for longer gives up, and is told nothing.
    private static let longestDelay = TimeAmount.seconds(8)
    private static let maximumDoublings = 5
    /// A failure is forgotten after this long without another.
    private static let lifetime = TimeAmount.minutes(10)
    /// Slots at most: a hostile client chooses logins, and with IPv6 networks. Beyond it a tenth goes, those with
    /// the fewest failures.
    static let maximumSlots = 10_000
    /// Octets of a login that are kept; none in the store is longer.
    private static let maximumLoginOctets = 256

    private struct Failures {
        var count: Int
        var until: NIODeadline
    }

    private var failures: [Slot: Failures] = [:]

    /// The slots of a login from a network: the login itself, the /64 or address, and the /48.
    /// - Parameter login: as the client sent it.
    static func slots(login: [UInt8], _ network: Network) -> [Slot] {
        // What is no address is folded in the same way.
        let folded = login.prefix(Self.maximumLoginOctets).map { octet in
            octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 0x20 : octet
        }
        let slots = [Slot.login(folded), .network(network)]
        return network.site == network ? slots : slots + [.network(network.site)]
    }

    /// Counts a failure.
    /// - Returns: how long its refusal takes, the same whatever the reason.
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

    /// Failures of a slot that are not forgotten.
    func count(of slot: Slot, at now: NIODeadline) -> Int {
        self.failures[slot].map { $0.until > now ? $0.count : 0 } ?? 0
    }

    private mutating func makeRoom(at now: NIODeadline) {
        guard self.failures.count >= Self.maximumSlots else { return }
        self.failures = self.failures.filter { $0.value.until > now }
        guard self.failures.count >= Self.maximumSlots else { return }
        let least = self.failures.leastTenth { ($0.count, $0.until) < ($1.count, $1.until) }
        for slot in least { self.failures[slot] = nil }
    }
}

extension Dictionary {
    /// Entries that ``leastTenth(_:)`` looks at to estimate where the least tenth ends.
    private static var sampleCount: Int { 500 }

    /// The keys of about a tenth of the entries, at least one, that count least. In linear time with few comparisons:
    /// the caller has a lock that each new connection needs. A sample tells where the tenth ends.
    func leastTenth(_ countsLess: (Value, Value) -> Bool) -> [Key] {
        let step = Swift.max(self.count / Self.sampleCount, 1)
        let sample = self.values.enumerated().filter { $0.offset % step == 0 }.map(\.element)
            .sorted(by: countsLess)
        guard !sample.isEmpty else { return [] }
        let end = sample[sample.count / 10]
        let below = self.filter { countsLess($0.value, end) }.map(\.key)
        // Many entries may count the same: then any of them go.
        let wanted = Swift.max(self.count / 10, 1)
        guard below.count < wanted else { return below }
        let equal = self.filter { !countsLess($0.value, end) && !countsLess(end, $0.value) }
        return below + equal.prefix(wanted - below.count).map(\.key)
    }
}
